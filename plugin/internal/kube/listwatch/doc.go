// Package listwatch lists and watches one kind of object of an API server, each step
// bounded in time, and heals by itself: whatever breaks off is begun anew.
//
// Server.Follow runs client-go's reflector, but a list never is in memory: its objects
// go to the Store as they are read, and the reflector gets no more than the end. Lists
// are streamed where the server can do that, and read in pages where it cannot, or
// where streams break off. A watch whose bookmarks fail to come is given up with its
// connection; a server that sends none is recognised. An API server that was set back
// to a backup is listed anew. What has happened is told by the log of outages in
// package apiserver.
package listwatch
