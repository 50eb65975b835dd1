package server

import (
	"net/http"
	"path"
	"reflect"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/aquatope/aquatope/server/api"
)

// apiPath is where the API lives, runsPath where its runs do.
const (
	apiPath  = "/api/v1"
	runsPath = apiPath + "/runs/"
)

// routes returns the handler of everything. The gateway is looked at first.
func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { writeText(w, http.StatusOK, "ok\n") })
	mux.HandleFunc("GET /readyz", s.ready)
	mux.Handle("GET /metrics", promhttp.HandlerFor(s.metrics.registry, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /{$}", s.page)
	mux.HandleFunc("GET /runs/{id}", s.runPage)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		writeProblem(w, &api.Problem{
			Title: "Not found", Status: http.StatusNotFound, Detail: "nothing is at " + r.URL.Path,
			Hint: "workflows run at " + workflowsPath + "{name}, the API is described by /openapi.json",
		})
	})
	s.addAPI(humago.New(mux, apiConfig(s.config.Version)))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.gateway(w, r) {
			return
		}
		if r.ContentLength > s.config.MaxBody {
			w.Header().Set("Connection", "close") // or net/http would read the rest
			writeError(w, tooLarge(s.config.MaxBody))
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, s.config.MaxBody)
		mux.ServeHTTP(w, r)
	})
}

func apiConfig(version string) huma.Config {
	c := huma.DefaultConfig("Aquatope", version)
	c.Components.Schemas = huma.NewMapRegistry("#/components/schemas/", schemaName)
	c.Info.Description = "Workflows of functions at the lowest cost that keeps their promise. " +
		"Runs that wait for their output are at POST /workflows/{name} and POST /functions/{name}."
	c.OpenAPIPath = "/openapi"
	c.DocsPath = "" // its page would load scripts from elsewhere
	c.SchemasPath = ""
	c.CreateHooks = nil // no $schema in answers
	c.RejectUnknownQueryParameters = true
	return c
}

// schemaName names a type in the API's description. The vocabulary of runs has
// a Problem and a Stage of its own, besides those of the API.
func schemaName(t reflect.Type, hint string) string {
	name := huma.DefaultSchemaNamer(t, hint)
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	if path.Base(t.PkgPath()) == "run" && t.Name() != "Run" {
		return "Run" + name
	}
	return name
}

// ready says whether the server takes requests: not while it shuts down.
func (s *Server) ready(w http.ResponseWriter, r *http.Request) {
	if s.closing.Load() {
		writeText(w, http.StatusServiceUnavailable, "shutting down\n")
		return
	}
	if err := s.store.Flush(r.Context()); err != nil {
		writeText(w, http.StatusServiceUnavailable, "the store does not answer: "+err.Error()+"\n")
		return
	}
	writeText(w, http.StatusOK, "ready\n")
}

func writeText(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text))
}
