package server

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/aquatope/aquatope/server/api"
)

type profileRequest struct {
	Name string `path:"name"`
	Body api.ProfileRequest
}

func (s *Server) addProfileAPI(a huma.API) {
	const path = apiPath + "/workflows/{name}/profile"
	huma.Register(a, huma.Operation{
		OperationID: "start-profile", Method: http.MethodPost, Path: path, DefaultStatus: http.StatusAccepted,
		Summary:      "Measure a workflow's functions over a grid of CPU and memory",
		MaxBodyBytes: s.config.MaxBody + 2,
		Errors:       []int{http.StatusNotFound, http.StatusConflict, http.StatusUnprocessableEntity},
	}, func(_ context.Context, in *profileRequest) (*body[api.Profiling], error) {
		p, err := s.startProfile(in.Name, in.Body)
		return &body[api.Profiling]{p}, asHTTP(err)
	})
	huma.Register(a, huma.Operation{
		OperationID: "get-profile", Method: http.MethodGet, Path: path, Summary: "Show the last measurement of a workflow's functions",
		Errors: []int{http.StatusNotFound},
	}, func(_ context.Context, in *nameRequest) (*body[api.Profiling], error) {
		j := s.profiles.get(in.Name)
		if j == nil {
			return nil, noProfile(in.Name)
		}
		return &body[api.Profiling]{j.snapshot()}, nil
	})
	huma.Register(a, huma.Operation{
		OperationID: "stop-profile", Method: http.MethodDelete, Path: path, Summary: "Stop measuring",
		DefaultStatus: http.StatusOK, Errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, in *nameRequest) (*body[api.Profiling], error) {
		j := s.profiles.get(in.Name)
		if j == nil {
			return nil, noProfile(in.Name)
		}
		p, err := j.stop(ctx)
		return &body[api.Profiling]{p}, asHTTP(err)
	})
}

func noProfile(name string) error {
	return asHTTP(&api.Problem{
		Type: api.TypeNotFound, Title: "Not profiled", Status: http.StatusNotFound,
		Detail: "workflow " + name + " has not been profiled since the server started", Hint: "aquatope profile " + name,
	})
}

// startProfile begins a measurement.
func (s *Server) startProfile(name string, req api.ProfileRequest) (api.Profiling, error) {
	// The promise that a profile names is that of the workflow.
	plan, err := s.planTuning(name, api.TuneRequest{Inputs: req.Inputs})
	if err != nil {
		return api.Profiling{}, err
	}
	runner, err := s.newTrialRunner(plan.workflow, plan.catalog, plan.bodies)
	if err != nil {
		return api.Profiling{}, cannotTune(err)
	}
	release, err := s.tunings.measure(measurement{"profile", name})
	if err != nil {
		return api.Profiling{}, err
	}
	background, cancel := context.WithCancel(s.background)
	j := newJob(cancel, api.Profiling{
		Workflow: name, Phase: api.PhaseRunning, Message: "running the workflow to see what its stages get",
	})
	s.profiles.set(name, j)
	s.loops.Go(func() {
		defer close(j.ended)
		defer cancel()
		defer release()
		defer runner.remove(nil)
		p := newProfiler(s, plan, runner, req, j)
		runner.disturbed = func(why string) {
			if why != "" {
				p.say("run " + why)
			}
		}
		out, err := p.measure(background)
		var text bytes.Buffer
		if err == nil {
			err = out.Write(&text)
		}
		switch {
		case err == nil:
			j.update(func(st *api.Profiling) { st.Phase, st.Profile, st.Message = api.PhaseDone, text.Bytes(), "" })
		case background.Err() != nil:
			j.update(func(st *api.Profiling) { st.Phase, st.Message = api.PhaseStopped, "stopped" })
		default:
			j.update(func(st *api.Profiling) { st.Phase, st.Message = api.PhaseFailed, err.Error() })
		}
	})
	return j.snapshot(), nil
}

// defaults of a measurement.
const (
	defaultCPUs     = 5
	defaultMemories = 3
	defaultRepeats  = 20
	defaultMaxTime  = 15 * time.Minute
)

func newProfiler(s *Server, plan *tuningPlan, runner *trialRunner, req api.ProfileRequest, j *job[api.Profiling]) *profiler {
	p := &profiler{s: s, plan: plan, runner: runner, job: j, req: req, id: "profile-" + fmt.Sprint(time.Now().UnixNano())}
	set := func(v *int, d int) {
		if *v == 0 {
			*v = d
		}
	}
	set(&p.req.CPUs, defaultCPUs)
	set(&p.req.Memories, defaultMemories)
	set(&p.req.Repeats, defaultRepeats)
	if p.req.MaxTime == 0 {
		p.req.MaxTime = defaultMaxTime
	}
	return p
}
