//go:build soak

package soak

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/test/netlab"
)

const (
	// secondaryRest is the least time between two transfers of a secondary, and
	// secondaryPatience how long it waits for a NOTIFY before it asks.
	secondaryRest     = 500 * time.Millisecond
	secondaryPatience = time.Second
	// compareNth says that one transfer in so many is compared with the whole zone.
	compareNth = 3
)

var (
	// follower is the address of the secondaries, and comparer that of another client:
	// what the server sends to this one must not change what it knows of them.
	follower = net.IPv4(127, 0, 0, 71)
	comparer = net.IPv4(127, 0, 0, 72)
)

// notifyAddr is where the secondaries listen for NOTIFY. It is in the Corefile.
const notifyAddr = "127.0.0.71:5300"

var transferOrigins = []string{"cluster.local.", externalOrigin}

// secondary follows a zone of a listener by differences.
type secondary struct {
	to, origin string
	tally      *tally
	notified   chan struct{}

	serial  uint32
	records map[string]struct{}
}

// startSecondaries returns one secondary for each listener and zone.
func startSecondaries(t *testing.T, v *tally) (all []*secondary) {
	t.Helper()
	for _, to := range politeTo() {
		for _, origin := range transferOrigins {
			all = append(all, &secondary{to: to, origin: origin, tally: v, notified: make(chan struct{}, 1)})
		}
	}
	netlab.ServeDNS(t, notifyAddr, dns.HandlerFunc(func(w dns.ResponseWriter, r *dns.Msg) {
		v.countTransfers(transfers{notified: 1})
		for _, s := range all {
			if s.origin == strings.ToLower(r.Question[0].Name) {
				select {
				case s.notified <- struct{}{}:
				default: // it has not come to the last one yet
				}
			}
		}
		_ = w.WriteMsg(new(dns.Msg).SetReply(r)) // the server sends it again
	}))
	return all
}

// transfers are numbers of transfers.
type transfers struct{ notified, whole, differences, same, failed, compared int }

func (v *tally) countTransfers(n transfers) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.transfers.notified += n.notified
	v.transfers.whole += n.whole
	v.transfers.differences += n.differences
	v.transfers.same += n.same
	v.transfers.failed += n.failed
	v.transfers.compared += n.compared
}

// run follows the zone until the context ends.
func (s *secondary) run(ctx context.Context) error {
	for n := 1; pause(ctx, secondaryRest); n++ {
		select {
		case <-ctx.Done():
			return nil
		case <-s.notified:
		case <-time.After(secondaryPatience):
		}
		if err := s.follow(context.WithoutCancel(ctx)); err != nil {
			s.tally.countTransfers(transfers{failed: 1}) // a reload closes connections
			continue
		}
		if n%compareNth == 0 {
			s.compare()
		}
	}
	return nil
}

// follow asks for the serial, and if that is new for the difference, which it applies.
func (s *secondary) follow(ctx context.Context) error {
	serial, err := s.askSerial(ctx)
	if err != nil {
		return err
	}
	if serial == s.serial {
		s.tally.countTransfers(transfers{same: 1})
		return nil
	}
	records, err := pull(follower, s.to, new(dns.Msg).SetIxfr(s.origin, s.serial, "ns.", "mail."))
	if err != nil {
		return err
	}
	soa := records[0].(*dns.SOA) // as pull has checked
	if len(records) == 1 || soa.Serial < serial || serial < s.serial {
		s.tally.complain(s.to, fmt.Errorf("%s: a transfer of %d records with serial %d, after %d, to a secondary with %d",
			s.origin, len(records), soa.Serial, serial, s.serial))
		s.serial = 0
		return nil
	}
	if _, ok := records[1].(*dns.SOA); ok && len(records) > 2 {
		s.tally.countTransfers(transfers{differences: 1})
		err = s.apply(records)
	} else {
		s.tally.countTransfers(transfers{whole: 1})
		s.records = setOf(records)
	}
	s.serial = soa.Serial
	if err != nil {
		s.tally.complain(s.to, fmt.Errorf("%s: the difference to %d: %w", s.origin, soa.Serial, err))
		s.serial = 0
	}
	return nil
}

func (s *secondary) askSerial(ctx context.Context) (serial uint32, err error) {
	r, err := exchange(ctx, new(dns.Msg).SetQuestion(s.origin, dns.TypeSOA), s.to)
	if err != nil {
		return 0, err
	}
	if len(r.Answer) == 1 {
		if soa, ok := r.Answer[0].(*dns.SOA); ok {
			return soa.Serial, nil
		}
	}
	return 0, fmt.Errorf("no SOA record of %s: %s", s.origin, text(r))
}

// apply applies a difference: SOA records begin what to remove and what to add by turns
// (RFC 1995 4).
func (s *secondary) apply(records []dns.RR) error {
	first := records[1].(*dns.SOA)
	if first.Serial != s.serial {
		return fmt.Errorf("it begins with %d, and was asked for with %d", first.Serial, s.serial)
	}
	adds := true
	for _, rr := range records[1 : len(records)-1] {
		if _, ok := rr.(*dns.SOA); ok {
			adds = !adds
			continue
		}
		line := lineOf(rr)
		if _, there := s.records[line]; there == adds {
			return fmt.Errorf("%s is there: %t, and is to be added: %t", line, there, adds)
		}
		if adds {
			s.records[line] = struct{}{}
		} else {
			delete(s.records, line)
		}
	}
	return nil
}

// compare checks the zone against the whole one of the server, if that has the same serial.
func (s *secondary) compare() {
	records, err := pull(comparer, s.to, new(dns.Msg).SetAxfr(s.origin))
	if err != nil {
		s.tally.countTransfers(transfers{failed: 1})
		return
	}
	if records[0].(*dns.SOA).Serial != s.serial {
		return
	}
	s.tally.countTransfers(transfers{compared: 1})
	if whole := setOf(records); !maps.Equal(whole, s.records) {
		s.tally.complain(s.to, fmt.Errorf("%s %d: the secondary's zone of %d records differs from the whole zone of %d: %s",
			s.origin, s.serial, len(s.records), len(whole), differenceOf(s.records, whole)))
		s.serial = 0
	}
}

// differenceOf returns some of the records that only one of the sets has.
func differenceOf(a, b map[string]struct{}) string {
	var lines []string
	for i, pair := range [][2]map[string]struct{}{{a, b}, {b, a}} {
		for line := range pair[0] {
			if _, ok := pair[1][line]; !ok && len(lines) < 4*(i+1) {
				lines = append(lines, "-+"[i:i+1]+line)
			}
		}
	}
	return strings.Join(lines, ", ")
}

// pull returns the records of a transfer, of which the first is the SOA record.
func pull(from net.IP, to string, m *dns.Msg) (records []dns.RR, err error) {
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: from}, Timeout: answerTimeout}
	conn, err := dialer.Dial("tcp", to)
	if err != nil {
		return nil, err
	}
	transfer := dns.Transfer{Conn: &dns.Conn{Conn: conn}, ReadTimeout: answerTimeout}
	envelopes, err := transfer.In(m, "")
	if err != nil {
		conn.Close()
		return nil, err
	}
	for e := range envelopes {
		err = errors.Join(err, e.Error)
		records = append(records, e.RR...)
	}
	if err == nil && len(records) == 0 {
		err = errors.New("an empty transfer")
	}
	return records, err
}

func setOf(records []dns.RR) map[string]struct{} {
	set := map[string]struct{}{}
	for _, rr := range records {
		if _, ok := rr.(*dns.SOA); !ok {
			set[lineOf(rr)] = struct{}{}
		}
	}
	return set
}

func lineOf(rr dns.RR) string { return strings.Join(strings.Fields(rr.String()), " ") }

// settleSecondaries waits until each secondary has the last zone.
func settleSecondaries(t *testing.T, all []*secondary) {
	t.Helper()
	for _, s := range all {
		netlab.Eventually(t, func(ctx context.Context) error {
			if err := s.follow(ctx); err != nil {
				return err
			}
			records, err := pull(comparer, s.to, new(dns.Msg).SetAxfr(s.origin))
			if err != nil {
				return err
			}
			if whole := setOf(records); !maps.Equal(whole, s.records) {
				return fmt.Errorf("%s of %s: %s", s.origin, s.to, differenceOf(s.records, whole))
			}
			return nil
		})
	}
}

// followAll runs the secondaries until the context ends.
func followAll(ctx context.Context, all []*secondary) error {
	var running sync.WaitGroup
	for _, s := range all {
		running.Go(func() { _ = s.run(ctx) }) // it never fails
	}
	running.Wait()
	return nil
}

// reportTransfers fails the test if a way to transfer a zone was not tried, or failed often.
func (v *tally) reportTransfers(t *testing.T) {
	t.Helper()
	n := v.transfers
	t.Logf("transfers: %d NOTIFY, %d whole, %d differences, %d without a change, %d failed; %d compared",
		n.notified, n.whole, n.differences, n.same, n.failed, n.compared)
	if n.notified == 0 || n.whole == 0 || n.differences == 0 || n.compared == 0 {
		t.Error("a way to transfer a zone was not tried")
	}
	if n.failed > n.whole+n.differences {
		t.Error("more transfers failed than succeeded")
	}
}
