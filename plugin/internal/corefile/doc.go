// Package corefile reads the parts of a Corefile around a directive of ours, and decides
// what they mean for us.
//
// - The directives kubernetes, clusterdns and k8s_external have properties in common, which are parsed
// here.
// - A [Block] is a server block of the Corefile with the configurations that CoreDNS made from it. CoreDNS
// shows a plugin its own block only, so the Corefile is parsed once more.
// - One table has the plugins that may stand ahead of ours. Three decisions depend on it: whether the
// sockets may answer a question that such a plugin does not see ([Conditions]), whether a
// completed name is answered from the snapshot or looked up in the whole server
// ([ClearOfNames]), and whether the goroutine that reads a socket asks CoreDNS's cache
// (Conditions.Cache).
//
// The rule not to break: a plugin that is not in the table must see every question and
// answer.
package corefile
