// Package written is about the text of a Corefile before CoreDNS reads it: how it is found in what kubectl prints, and what
// in it looks like something that it is not. It knows no plugin.
package written
