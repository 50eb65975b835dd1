package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aquatope/aquatope/examples/fn"
)

// setup prepares the example in a folder of its own and moves there.
func setup(t *testing.T) {
	t.Helper()
	t.Chdir(t.TempDir())
	t.Setenv("AQUATOPE_DATA", t.TempDir())
	if err := prepare("bin"); err != nil {
		t.Fatal(err)
	}
}

// call starts one instance of a function and calls it once.
func call[Out any](t *testing.T, start fn.Start, in any) Out {
	t.Helper()
	handler, err := start()
	if err != nil {
		t.Fatal(err)
	}
	return ask[Out](t, handler, in)
}

func ask[Out any](t *testing.T, handler http.Handler, in any) Out {
	t.Helper()
	body, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/", strings.NewReader(string(body))))
	if w.Code != http.StatusOK {
		t.Fatalf("status %d: %s", w.Code, w.Body)
	}
	var out Out
	if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestText(t *testing.T) {
	got, err := text(t.Context(), draft{"  Hello @user-2 and @user-3, @user-2!\n see https://go.dev/#x@y  #Go #go "})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got.Mentions, []string{"user-2", "user-3"}) || !slices.Equal(got.URLs, []string{"https://go.dev/#x@y"}) ||
		!slices.Equal(got.Tags, []string{"go"}) || strings.Contains(got.Text, "  ") {
		t.Errorf("parsed as %+v", got)
	}
	for _, bad := range []string{"", "   ", strings.Repeat("x", maxText+1)} {
		if _, err := text(t.Context(), draft{bad}); err == nil {
			t.Errorf("a text of %d characters was accepted", len(bad))
		}
	}
}

func TestPasswords(t *testing.T) {
	setup(t)
	if m := call[mention](t, startUser, login{"user-7", "secret-7"}); m.ID != 7 {
		t.Errorf("user-7 is %+v", m)
	}
	handler, err := startUser()
	if err != nil {
		t.Fatal(err)
	}
	for _, body := range []string{`{"user":"user-7","password":"secret-8"}`, `{"user":"nobody","password":""}`} {
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body)))
		if w.Code != http.StatusBadRequest {
			t.Errorf("%s: status %d", body, w.Code)
		}
	}
}

// TestPostReachesFollowers composes a post and reads it back, with a new
// instance for each call: nothing may live in memory only.
func TestPostReachesFollowers(t *testing.T) {
	setup(t)
	id := call[postID](t, startUniqueID, nil).ID
	parsed := parsedText{URLs: []string{"https://go.dev"}, Mentions: []string{"user-4", "nobody"}}
	p := post{
		ID: id, Author: mention{1, "user-1"}, Text: "hello",
		Links:    call[links](t, startShorten, parsed).Links,
		Mentions: call[mentions](t, startMentions, parsed).Mentions,
		Media:    call[thumbnails](t, fn.Pure(media), uploads{[]string{"snap.jpg"}}).Media,
	}
	if len(p.Links) != 1 || len(p.Mentions) != 1 || p.Mentions[0].ID != 4 || len(p.Media) != 1 {
		t.Errorf("post is %+v", p)
	}
	call[postList](t, startPosts, postRequest{Store: &p})
	fans := call[followers](t, startGraph, userRef{1}).Followers
	if len(fans) < users/2 {
		t.Fatalf("the most famous user has %d followers", len(fans))
	}
	call[timeline](t, startTimeline("home"), timelineRequest{Post: id, Users: fans})
	seen := call[timeline](t, startTimeline("home"), timelineRequest{Read: fans[0], Limit: 10})
	if !slices.Equal(seen.IDs, []int64{id}) {
		t.Errorf("a follower sees %v, want [%d]", seen.IDs, id)
	}
	read := call[postList](t, startPosts, postRequest{IDs: []int64{id, 12345}}).Posts
	if len(read) != 1 || read[0].Text != "hello" || read[0].ID != id {
		t.Errorf("read back as %+v", read)
	}
}

// TestManyInstancesDeliver lets instances with databases open of their own
// write at the same time.
func TestManyInstancesDeliver(t *testing.T) {
	setup(t)
	const instances, posts = 4, 10
	var wg sync.WaitGroup
	for i := range instances {
		handler, err := startTimeline("home")()
		if err != nil {
			t.Fatal(err)
		}
		wg.Go(func() {
			for n := range posts {
				w := httptest.NewRecorder()
				body, _ := json.Marshal(timelineRequest{Post: int64(1 + i*posts + n), Users: []int64{1, 2, 3}})
				handler.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/", strings.NewReader(string(body))))
				if w.Code != http.StatusOK {
					t.Errorf("status %d: %s", w.Code, w.Body)
				}
			}
		})
	}
	wg.Wait()
	if got := call[timeline](t, startTimeline("home"), timelineRequest{Read: 2, Limit: 100}); len(got.IDs) != instances*posts {
		t.Errorf("%d of %d posts were delivered", len(got.IDs), instances*posts)
	}
}

func TestIDsGrowAndFitJSON(t *testing.T) {
	handler, err := startUniqueID()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[int64]bool{}
	for range 200 {
		id := ask[postID](t, handler, nil).ID
		if seen[id] || id <= 0 || id >= 1<<53 {
			t.Fatalf("id %d was given before or does not fit", id)
		}
		seen[id] = true
	}
}
