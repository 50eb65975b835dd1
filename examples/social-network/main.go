// Command social-network holds the ten functions of the social-network
// example: composing a post with mentions, links and media, delivering it to
// the followers' timelines, and reading timelines. Each function that keeps
// something has a database of its own in the shared folder, which all its
// instances open.
package main

import "github.com/aquatope/aquatope/examples/fn"

func main() {
	fn.Main(fn.Set{
		"unique-id":     startUniqueID,
		"text":          fn.Pure(text),
		"url-shorten":   startShorten,
		"user-mention":  startMentions,
		"media":         fn.Pure(media),
		"user":          startUser,
		"post-storage":  startPosts,
		"user-timeline": startTimeline("user"),
		"social-graph":  startGraph,
		"home-timeline": startTimeline("home"),
	}, prepare)
}
