// Package chain connects our handlers with the other plugins of a server block.
//
//   - [Arrange] puts them ahead of all others: to answer what no plugin has to see, to prepare the goroutine's
//     stack, to fit replies to TLS, HTTPS and QUIC, and to see transfers. It takes transfers past the plugin minimal.
//   - [GateCache] prevents the plugin cache from delaying changes of the cluster.
//   - [Ask] asks those behind about a question's name as it has become.
//   - [ReplyLimit] bounds replies as the plugin bufsize does.
//
// Handlers have no names before an instance starts, so a plugin ahead is identified by the
// function that makes its handler.
package chain
