// Package cases reads the cases that the CoreDNS project runs against a live cluster
// (github.com/coredns/ci), asks them, and judges the replies by the rules that the
// data gives.
//
//	suite, err := cases.Load()
//	groups, err := suite.Groups()        // one for each start of the server
//	err = c.Ask(ctx, client, "udp")      // what is wrong with the reply
//
// The data is in testdata/ci-cases.json; its "meta" is the manual.
package cases
