// Package chain fits our handlers in among the other plugins of a server block.
//
//   - [First] stands before all of them and prepares the goroutine's stack.
//   - [FitEncrypted] fits replies to TLS, HTTPS and QUIC.
//   - [GateCache] keeps the plugin cache from holding back changes of the cluster.
//   - [PassMinimal] takes transfers past the plugin minimal.
//   - [ReplyLimit] bounds replies as the plugin bufsize does.
//
// Handlers have no names before an instance starts, so a plugin ahead is known by the function
// that makes its handler.
package chain
