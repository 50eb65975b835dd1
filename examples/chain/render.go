package main

import (
	"context"
	"fmt"
	"html/template"
	"net/http"
	"strings"

	"github.com/aquatope/aquatope/examples/fn"
)

type document struct {
	Log  string `json:"log"`
	HTML string `json:"html"`
}

const page = `<!DOCTYPE html>
<title>Statements of {{.Log}}</title>
{{range .Statements}}<section>
<h1>{{.Customer}}</h1>
<table>
{{range .Lines}}<tr><td>{{.Order}}<td>{{.Article}}<td>{{.Quantity}}<td>{{money .Cents}}
{{end}}</table>
<p>Net {{money .Net}}, discount {{money .Discount}}, tax {{money .Tax}}: <b>{{money .Total}}</b></p>
</section>
{{end}}`

// startRender compiles the template, once for an instance. Rendering escapes
// every value; it runs on one processor.
func startRender() (http.Handler, error) {
	money := func(cents int64) string { return fmt.Sprintf("%d.%02d", cents/100, cents%100) }
	t, err := template.New("page").Funcs(template.FuncMap{"money": money}).Parse(page)
	if err != nil {
		return nil, err
	}
	return fn.JSON(func(_ context.Context, in statementList) (document, error) {
		var html strings.Builder
		if err := t.Execute(&html, in); err != nil {
			return document{}, err
		}
		return document{Log: in.Log, HTML: html.String()}, nil
	}), nil
}
