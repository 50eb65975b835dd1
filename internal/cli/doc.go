// Package cli is the command line: flags in; text, JSON, YAML or CSV out.
// Every command is one file with a function newXCmd(env *Env) *cobra.Command;
// all contact with the process (streams, environment, terminal) goes through
// Env, so that whole commands run inside tests.
//
// Data goes to Env.Stdout through Env.Print, progress to Env.Stderr through
// Env.Progress and Env.Notef.
package cli
