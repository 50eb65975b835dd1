package manifest

import (
	"strconv"
	"strings"

	"github.com/aquatope/aquatope/function"
)

// reserved are the variables that the platform sets.
var reserved = map[string]bool{"PORT": true, "K_SERVICE": true, "K_REVISION": true, "K_CONFIGURATION": true}

// container reads the container of a Service.
func (r *reader) container(n *node, path string, f *function.Function) {
	o := r.object(n, path)
	if o == nil {
		return
	}
	if v := o.take("name"); v != nil {
		r.str(v, o.at("name")) // names the one container, which changes nothing
	}
	if v := o.take("image"); v != nil {
		f.Image = r.str(v, o.at("image"))
		if strings.ContainsAny(f.Image, " \t\n") || v.kind == kindString && f.Image == "" {
			r.fail(v.at, o.at("image"), "write registry/name:tag", "%q is not the name of an image", f.Image)
		}
	}
	if v := o.take("command"); v != nil {
		words := r.strings(v, o.at("command"))
		if f.Image != "" {
			f.Entrypoint = words
		} else {
			f.Command = words
		}
	}
	if v := o.take("args"); v != nil {
		f.Args = r.strings(v, o.at("args"))
	}
	if v := o.take("env"); v != nil {
		f.Env = r.env(v, o.at("env"))
	}
	res := o.take("resources")
	f.Resources = r.resources(res, o.at("resources"))
	if v := o.take("ports"); v != nil {
		r.ports(v, o.at("ports"))
	}
	if v := o.take("readinessProbe"); v != nil {
		r.probe(v, o.at("readinessProbe"))
	}
	o.done(map[string]string{
		"envFrom":         "list the variables under env",
		"workingDir":      "set the annotation aquatope.dev/working-directory",
		"volumeMounts":    "put files into the image, or name them relative to the manifest",
		"livenessProbe":   "an instance that answers nothing is replaced when its invocation times out",
		"startupProbe":    "an instance is ready when it accepts connections; bound its start with the annotation aquatope.dev/start-timeout",
		"imagePullPolicy": "pull the image beforehand",
		"securityContext": "instances always run unprivileged",
		"lifecycle":       "act on SIGTERM in the function",
	})
}

func (r *reader) env(n *node, path string) []function.EnvVar {
	if !r.expect(n, path, kindList, "write a list of - {name: ..., value: ...}") {
		return nil
	}
	var list []function.EnvVar
	seen := map[string]bool{}
	for i, item := range n.list {
		o := r.object(item, path+"["+strconv.Itoa(i)+"]")
		if o == nil {
			continue
		}
		var e function.EnvVar
		if v := o.need("name", ""); v != nil {
			e.Name = r.str(v, o.at("name"))
			switch {
			case v.kind != kindString:
			case e.Name == "" || strings.ContainsAny(e.Name, "=\x00"):
				r.fail(v.at, o.at("name"), "", "%q is not the name of a variable", e.Name)
			case reserved[e.Name]:
				r.fail(v.at, o.at("name"), "choose another name", "%s is set by the platform", e.Name)
			case seen[e.Name]:
				r.fail(v.at, o.at("name"), "keep one of them", "%s is set twice", e.Name)
			}
			seen[e.Name] = true
		}
		if v := o.take("value"); v != nil {
			e.Value = r.str(v, o.at("value"))
			if strings.Contains(e.Value, "\x00") {
				r.fail(v.at, o.at("value"), "", "holds a NUL byte")
			}
		}
		o.done(map[string]string{"valueFrom": "write the value; to keep it out of the manifest, substitute it before deploying"})
		list = append(list, e)
	}
	return list
}

// ports accepts one TCP port. Its number does not matter: a function listens
// on $PORT, which the platform chooses.
func (r *reader) ports(n *node, path string) {
	if !r.expect(n, path, kindList, "") {
		return
	}
	if len(n.list) != 1 {
		r.fail(n.at, path, "a function listens on $PORT only", "must hold one port, not %d", len(n.list))
		return
	}
	o := r.object(n.list[0], path+"[0]")
	if o == nil {
		return
	}
	if v := o.need("containerPort", ""); v != nil {
		r.whole(v, o.at("containerPort"), 1, 65535)
	}
	if v := o.take("name"); v != nil {
		r.oneOf(v, o.at("name"), "http1")
	}
	if v := o.take("protocol"); v != nil {
		r.oneOf(v, o.at("protocol"), "TCP")
	}
	o.done(nil)
}

// probe accepts the readiness probe that every instance is subject to.
func (r *reader) probe(n *node, path string) {
	const hint = "an instance is ready when it accepts connections on $PORT: listen once ready, and write readinessProbe: {tcpSocket: {port: 0}} or nothing"
	o := r.object(n, path)
	if o == nil {
		return
	}
	if v := o.need("tcpSocket", hint); v != nil {
		if s := r.object(v, o.at("tcpSocket")); s != nil {
			if v := s.take("port"); v != nil {
				r.whole(v, s.at("port"), 0, 65535)
			}
			s.done(nil)
		}
	}
	if v := o.take("successThreshold"); v != nil {
		r.whole(v, o.at("successThreshold"), 1, 1)
	}
	if v := o.take("initialDelaySeconds"); v != nil {
		r.whole(v, o.at("initialDelaySeconds"), 0, 0)
	}
	o.done(map[string]string{
		"httpGet": hint, "exec": hint, "grpc": hint,
		"periodSeconds":    "delete it, instances are probed as often as needed",
		"timeoutSeconds":   "bound the start with the annotation aquatope.dev/start-timeout",
		"failureThreshold": "bound the start with the annotation aquatope.dev/start-timeout",
	})
}
