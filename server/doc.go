// Package server makes one process of everything that runs workflows on one
// machine: manifests in, functions on the local platform, workflows on the
// engine, what happened in the store, all of it behind one HTTP address.
//
//	/workflows/{name}  /functions/{name}  the gateway: run and wait
//	/api/v1/...        /openapi.json      everything else, described by OpenAPI
//	/healthz  /readyz  /metrics           for machines that watch
//	/                                     for people who do
//
// The gateway is plain net/http and does as little as it can per request; the
// API under /api/v1 goes through huma, which checks requests against the
// schemas that it publishes.
package server
