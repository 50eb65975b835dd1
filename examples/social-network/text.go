package main

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/aquatope/aquatope/examples/fn"
)

type draft struct {
	Text string `json:"text"`
}

type parsedText struct {
	Text     string   `json:"text"`
	Mentions []string `json:"mentions"`
	URLs     []string `json:"urls"`
	Tags     []string `json:"tags"`
}

// maxText is the number of characters that a post may have.
const maxText = 2000

var (
	mentionPattern = regexp.MustCompile(`@([a-z0-9-]+)`)
	urlPattern     = regexp.MustCompile(`https?://[^\s<>"]+`)
	tagPattern     = regexp.MustCompile(`#(\w+)`)
)

// text tidies a post up and finds who and what it mentions.
func text(_ context.Context, in draft) (parsedText, error) {
	clean := strings.Join(strings.Fields(in.Text), " ")
	if n := utf8.RuneCountInString(clean); n == 0 || n > maxText {
		return parsedText{}, fn.Invalidf("a post has 1 to %d characters, not %d", maxText, n)
	}
	urls := urlPattern.FindAllString(clean, -1)
	words := urlPattern.ReplaceAllString(clean, "") // an @ or # within a link is part of the link
	return parsedText{
		Text:     clean,
		URLs:     distinct(urls),
		Mentions: distinct(names(mentionPattern, words)),
		Tags:     distinct(names(tagPattern, strings.ToLower(words))),
	}, nil
}

func names(pattern *regexp.Regexp, s string) []string {
	var list []string
	for _, match := range pattern.FindAllStringSubmatch(s, -1) {
		list = append(list, match[1])
	}
	return list
}

func distinct(list []string) []string {
	slices.Sort(list)
	return append([]string{}, slices.Compact(list)...)
}
