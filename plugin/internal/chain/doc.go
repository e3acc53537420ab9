// Package chain connects our handlers with the other plugins of a server block.
//
// - [First] comes before all of them and prepares the goroutine's stack.
// - [GateCache] prevents the plugin cache from delaying changes of the cluster.
// - [PassMinimal] takes transfers past the plugin minimal.
// - [ReplyLimit] bounds replies as the plugin bufsize does.
//
// Handlers have no names before an instance starts, so a plugin ahead is identified by the
// function that makes its handler.
package chain
