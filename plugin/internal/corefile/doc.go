// Package corefile reads what a Corefile says around a directive of ours, and knows what
// that means.
//
//   - The directives kubernetes, clusterdns and k8s_external have properties in common, which
//     are parsed here.
//   - A [Block] is a server block of the Corefile with what CoreDNS has made of it. CoreDNS shows
//     a plugin its own block only, so the Corefile is read once more.
//   - One table holds the plugins that may stand ahead of ours. Three decisions read it: whether
//     the sockets may answer a question that such a plugin does not see ([Conditions]), whether a
//     completed name is answered from the snapshot or asked of the whole server ([ClearOfNames]), and
//     whether CoreDNS's cache is asked by the goroutine that reads a socket (Conditions.Cache).
//
// A plugin that is not in the table keeps the sockets from answering and has a say in names.
package corefile
