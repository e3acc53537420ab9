// Package listwatch lists and watches one kind of object of an API server. Each step is
// bounded in time, and whatever breaks off is begun again.
//
// Server.Follow runs client-go's reflector, but no list is ever in memory: its objects go
// to the Store as they are read, and the reflector gets nothing but the end. Lists are
// streamed if the server supports that, and read in pages otherwise, or while streams break
// off. A watch that was cut goes on from the version that it had: it is no reason for a list.
// A watch that stops bringing bookmarks is closed together with all connections; a
// server that never sends bookmarks is recognised. After an API server was restored from a
// backup, everything is listed again. Package apiserver logs what happened.
//
// The rule not to break: no request may wait without a bound.
package listwatch
