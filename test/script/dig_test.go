package script

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/miekg/dns"
	"github.com/rogpeppe/go-internal/testscript"
)

const (
	// bufsize is the EDNS size that dig sends by default, the largest that is not
	// fragmented in any network (DNS flag day 2020).
	bufsize = 1232
	// plainSize is the largest answer over UDP without EDNS (RFC 1035 4.2.1).
	plainSize = 512
	// noedns stands for a question without EDNS.
	noedns = 0
	// answerTimeout is how long one answer may take.
	answerTimeout = 10 * time.Second
)

// query is a question with options for asking it.
type query struct {
	question dns.Question
	port     string // name of the variable with the port
	network  string
	from     netip.Addr // address of the client, or invalid for any
	bufsize  uint16
}

var errUsage = errors.New("expected dig [@PORT] [-bADDRESS] [+tcp] [+bufsize=N|+noedns] NAME [TYPE [CLASS]] or -x ADDRESS")

// dig sends one question and prints the answer.
func dig(ts *testscript.TestScript, args []string) (string, error) {
	q, err := parseQuery(args)
	if err != nil {
		return "", err
	}
	addr := net.JoinHostPort("127.0.0.1", ts.Getenv(q.port))
	r, err := q.ask(addr)
	if err != nil {
		return "", fmt.Errorf("%s: %w", strings.Join(args, " "), err)
	}
	return render(r), nil
}

func parseQuery(args []string) (*query, error) {
	q := &query{port: "PORT", network: "udp", bufsize: bufsize}
	var words []string
	for _, arg := range args {
		isOption, err := q.option(arg)
		if err != nil {
			return nil, err
		}
		if !isOption {
			words = append(words, arg)
		}
	}
	return q, q.parseQuestion(words)
}

// option handles an argument if it is one of dig's options.
func (q *query) option(arg string) (isOption bool, err error) {
	from, isFrom := strings.CutPrefix(arg, "-b")
	size, isSize := strings.CutPrefix(arg, "+bufsize=")
	switch {
	case arg == "+tcp":
		q.network = "tcp"
	case arg == "+noedns":
		q.bufsize = noedns
	case strings.HasPrefix(arg, "@"):
		q.port = arg[1:]
	case isFrom:
		q.from, err = netip.ParseAddr(from)
		return true, err
	case isSize:
		n, err := strconv.ParseUint(size, 10, 16)
		q.bufsize = uint16(n)
		return true, err
	case strings.HasPrefix(arg, "+"):
		return true, errUsage
	default:
		return false, nil
	}
	return true, nil
}

func (q *query) parseQuestion(words []string) error {
	q.question = dns.Question{Qtype: dns.TypeA, Qclass: dns.ClassINET}
	if len(words) == 2 && words[0] == "-x" {
		name, err := dns.ReverseAddr(words[1])
		q.question.Name, q.question.Qtype = name, dns.TypePTR
		return err
	}
	if len(words) == 0 || len(words) > 3 {
		return errUsage
	}
	q.question.Name = dns.Fqdn(words[0])
	known := true
	if len(words) > 1 {
		q.question.Qtype, known = dns.StringToType[words[1]]
	}
	if len(words) > 2 && known {
		q.question.Qclass, known = dns.StringToClass[words[2]]
	}
	if !known {
		return errUsage
	}
	return nil
}

func (q *query) message() *dns.Msg {
	m := &dns.Msg{Question: []dns.Question{q.question}}
	m.Id = dns.Id()
	m.RecursionDesired = true
	if q.bufsize != noedns {
		m.SetEdns0(q.bufsize, false)
	}
	return m
}

// ask sends one question over a connection of its own and returns the answer.
func (q *query) ask(addr string) (*dns.Msg, error) {
	conn, err := q.dial(addr)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	conn.UDPSize = dns.MaxMsgSize // so that too large an answer shows
	if err := conn.SetDeadline(time.Now().Add(answerTimeout)); err != nil {
		return nil, err
	}
	m := q.message()
	if err := conn.WriteMsg(m); err != nil {
		return nil, err
	}
	wire, err := conn.ReadMsgHeader(nil)
	if err != nil {
		return nil, err
	}
	return q.check(m, wire)
}

func (q *query) dial(addr string) (*dns.Conn, error) {
	dialer := &net.Dialer{Timeout: answerTimeout}
	from := netip.AddrPortFrom(q.from, 0)
	switch {
	case !q.from.IsValid():
	case q.network == "tcp":
		dialer.LocalAddr = net.TCPAddrFromAddrPort(from)
	default:
		dialer.LocalAddr = net.UDPAddrFromAddrPort(from)
	}
	return (&dns.Client{Net: q.network, Dialer: dialer}).Dial(addr)
}

// check checks what holds for every answer, so that scripts need not.
func (q *query) check(m *dns.Msg, wire []byte) (*dns.Msg, error) {
	r := new(dns.Msg)
	if err := r.Unpack(wire); err != nil {
		return nil, err
	}
	switch {
	case r.Id != m.Id:
		return nil, errors.New("the answer has another ID")
	case len(r.Question) != 1 || r.Question[0] != q.question:
		return nil, fmt.Errorf("the answer is to another question: %v", r.Question)
	case q.network == "udp" && len(wire) > max(plainSize, int(q.bufsize)):
		return nil, fmt.Errorf("the answer has %d bytes, more than the client can take", len(wire))
	case (r.IsEdns0() != nil) != (q.bufsize != noedns):
		return nil, fmt.Errorf("EDNS in the question: %v, in the answer: %v", q.bufsize != noedns, r.IsEdns0() != nil)
	}
	return r, nil
}
