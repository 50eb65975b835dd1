package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestParse runs the function in Python over a generated log.
func TestParse(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("python3 is missing: apt-get install python3")
	}
	dir := t.TempDir()
	if err := prepare(dir); err != nil {
		t.Fatal(err)
	}
	script := `import json, sys, parse; print(json.dumps(parse.parse("friday.csv", sys.argv[1])))`
	cmd := exec.Command(python, "-B", "-c", script, filepath.Join(dir, "logs"))
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		orderList
		Rejected []struct {
			Line   int
			Reason string
		}
	}
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatal(err)
	}
	if n := len(got.Orders) + len(got.Rejected); n != logs["friday.csv"] {
		t.Errorf("%d rows come out of %d", n, logs["friday.csv"])
	}
	if len(got.Rejected) == 0 || !strings.Contains(got.Rejected[0].Reason, "EAN-13") {
		t.Errorf("rows with a bad article number: %v", got.Rejected)
	}
	if _, err := price(t.Context(), got.orderList); err != nil {
		t.Error(err)
	}
}

func TestPrice(t *testing.T) {
	got, err := price(t.Context(), orderList{Orders: []orderLine{
		{Order: 2, Customer: "b", Quantity: 1, Cents: 10_50},
		{Order: 3, Customer: "a", Quantity: 50, Cents: 10_00},
		{Order: 1, Customer: "b", Quantity: 2, Cents: 1},
	}})
	if err != nil {
		t.Fatal(err)
	}
	a, b := got.Statements[0], got.Statements[1]
	if a.Net != 500_00 || a.Discount != 15_00 || a.Tax != 92_15 || a.Total != 577_15 {
		t.Errorf("a owes %+v", a)
	}
	if b.Net != 10_52 || b.Discount != 0 || b.Tax != 2_00 || b.Lines[0].Order != 1 {
		t.Errorf("b owes %+v", b)
	}
	if _, err := price(t.Context(), orderList{Orders: []orderLine{{Quantity: -1, Cents: 1}}}); err == nil {
		t.Error("a negative quantity was accepted")
	}
}

func TestRenderEscapes(t *testing.T) {
	handler, err := startRender()
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	body := `{"statements": [{"customer": "<script>", "total": 1205}]}`
	handler.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body)))
	var doc document
	if err := json.Unmarshal(w.Body.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(doc.HTML, "&lt;script&gt;") || !strings.Contains(doc.HTML, "12.05") {
		t.Errorf("rendered as %s", doc.HTML)
	}
}

func TestSealAndStore(t *testing.T) {
	t.Setenv("AQUATOPE_DATA", t.TempDir())
	html := strings.Repeat("statement ", 20_000) // several blocks
	s, err := seal(t.Context(), document{HTML: html})
	if err != nil {
		t.Fatal(err)
	}
	stored, err := store(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(os.Getenv("AQUATOPE_DATA"), "archive", stored.File))
	if err != nil {
		t.Fatal(err)
	}
	r, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	if back, err := io.ReadAll(r); err != nil || string(back) != html {
		t.Errorf("the document changed on its way: %d bytes, %v", len(back), err)
	}
	s.Gzip[0]++
	if _, err := store(t.Context(), s); err == nil {
		t.Error("a document that was tampered with was stored")
	}
}
