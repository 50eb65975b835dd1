package trace_test

import (
	"bytes"
	"math"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/aquatope/aquatope/trace"
)

func TestLoadInvocations(t *testing.T) {
	t.Parallel()
	tr, err := trace.LoadInvocations("x", strings.NewReader("app,func,end_timestamp,duration\na,f,70,20\na,f,130.5,1\nb,g,1,3\n"))
	if err != nil {
		t.Fatal(err)
	}
	if len(tr.Functions) != 2 || tr.Minutes != 1440 {
		t.Fatalf("%d functions, %d minutes", len(tr.Functions), tr.Minutes)
	}
	f := tr.Functions[0]
	if f.Counts.At(0) != 1 || f.Counts.At(2) != 1 || f.Duration.Mean != 10_500 {
		t.Errorf("counts %d, %d, mean duration %v", f.Counts.At(0), f.Counts.At(2), f.Duration.Mean)
	}
}

func TestLoadRealInvocations(t *testing.T) {
	t.Parallel()
	r, err := os.Open(tracesDir(t, "azure2021-invocations-sample") + "/AzureFunctionsInvocationTrace2021.first999.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	tr, err := trace.LoadInvocations("2021", r)
	if err != nil {
		t.Fatal(err)
	}
	if n := tr.Invocations(trace.Span{To: tr.Minutes}); len(tr.Functions) != 49 || n != 998 {
		t.Errorf("%d functions, %d invocations; want 49 and 998", len(tr.Functions), n)
	}
}

// TestInvocationsRoundTrip writes a synthetic trace as invocations and reads it
// back: every minute must have the same counts.
func TestInvocationsRoundTrip(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 1))
	tr, err := trace.Generator{Functions: 8, Days: 1}.Generate(r)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := tr.WriteInvocations(&b, r); err != nil {
		t.Fatal(err)
	}
	last := 0.0
	for v, err := range trace.ReadInvocations("x", bytes.NewReader(b.Bytes())) {
		if err != nil {
			t.Fatal(err)
		}
		if v.End < last {
			t.Fatal("not sorted by end")
		}
		last = v.End
	}
	back, err := trace.LoadInvocations("x", &b)
	if err != nil {
		t.Fatal(err)
	}
	at := map[string]trace.Function{}
	for _, f := range back.Functions {
		at[f.ID.Function] = f
	}
	for _, f := range tr.Functions {
		want, got := f.Counts.Dense(nil, trace.Span{To: 1440}), at[f.ID.Function].Counts.Dense(nil, trace.Span{To: 1440})
		moved := 0.0
		for m := range want {
			moved += math.Abs(want[m] - got[m])
		}
		// Times are written to the microsecond, so a start at the very end of
		// a minute may move to the next.
		if moved > 2 {
			t.Errorf("%s: %v counts differ", f.ID, moved)
		}
	}
}

func TestBadInvocations(t *testing.T) {
	t.Parallel()
	for _, row := range []string{"a,f,x,1", "a,f,1,-1", "a,f,NaN,1", "a,f,Inf,1", "a,f,1e12,1", "a,f,1"} {
		_, err := trace.LoadInvocations("x", strings.NewReader("app,func,end_timestamp,duration\n"+row+"\n"))
		if err == nil || !strings.Contains(err.Error(), "line 2") {
			t.Errorf("%s: %v", row, err)
		}
	}
}

func FuzzReadInvocations(f *testing.F) {
	f.Add([]byte("app,func,end_timestamp,duration\na,f,1,1\n"))
	f.Add([]byte("app,func,end_timestamp,duration\na,f,31000000,31999999\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		for v, err := range trace.ReadInvocations("fuzz", bytes.NewReader(data)) {
			if err != nil {
				return
			}
			if !(v.Start() >= 0) || !(v.Duration >= 0) {
				t.Fatalf("%+v", v)
			}
		}
	})
}
