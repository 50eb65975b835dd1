package server

import (
	"context"
	"time"

	"github.com/aquatope/aquatope/control"
	"github.com/aquatope/aquatope/forecast"
	"github.com/aquatope/aquatope/server/api"
)

type forecastRequest struct {
	Name    string `path:"name"`
	Windows int    `query:"windows" minimum:"0" maximum:"240" default:"30" doc:"How many past windows to show."`
	Ahead   int    `query:"ahead" minimum:"1" maximum:"60" default:"10" doc:"How many windows to forecast."`
}

// forecastOf is what is expected of a function. The windows ahead are forecast
// anew from the store, beside the scheduler, which is not disturbed.
func (s *Server) forecastOf(ctx context.Context, in *forecastRequest) (api.FunctionForecast, error) {
	c := s.catalog.Load()
	if _, ok := c.functions[in.Name]; !ok {
		return api.FunctionForecast{}, notFound("function", in.Name, c.functions)
	}
	out := api.FunctionForecast{
		Function: in.Name, Window: s.config.Window, Past: []api.PastWindow{}, Ahead: []api.ForecastBand{}, Pool: s.poolOf(in.Name),
	}
	for _, p := range s.pool.Past(in.Name, in.Windows) {
		out.Past = append(out.Past, api.PastWindow{
			ForecastBand: api.ForecastBand{Begin: control.WindowBegin(p.Window, s.config.Window), Low: p.Low, Median: p.Median, High: p.High},
			Came:         int(p.Came),
		})
	}
	model := s.pool.Model()
	if model == nil {
		return out, nil
	}
	if err := s.store.Flush(ctx); err != nil {
		return out, err
	}
	now := control.WindowAt(time.Now(), s.config.Window)
	h, err := s.arrivals(ctx, in.Name, now)
	if err != nil {
		return out, err
	}
	if h == nil {
		h = forecast.NewHistory(in.Name, "", now)
	}
	for i, d := range model.New().Forecast([]*forecast.History{h}, in.Ahead)[0] {
		out.Ahead = append(out.Ahead, api.ForecastBand{
			Begin: control.WindowBegin(now+int64(i), s.config.Window),
			Low:   d.Quantile(0.05), Median: d.Quantile(0.5), High: d.Quantile(0.95),
		})
	}
	return out, nil
}
