package xfr

import (
	"context"
	"errors"
	"net"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/resolve"
)

// slowSecondary is a secondary that answers slowly.
type slowSecondary struct {
	took     time.Duration
	err      error
	answered bool
	calls    int
}

func (s *slowSecondary) notify(context.Context) (bool, error) {
	time.Sleep(s.took)
	s.calls++
	return s.answered, s.err
}

// notifying runs a notifier with a time of its own until the test ends.
func notifying(t *testing.T, to *slowSecondary, test func(p *primary)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		p := newPrimary(t)
		ctx, stop := context.WithCancel(context.Background())
		n := &notifier{store: p.Store, ready: (*cluster.Snapshot).Synced, send: to.notify, warn: func(string) {}}
		done := make(chan struct{})
		go func() {
			defer close(done)
			n.run(ctx)
		}()
		synctest.Wait()
		test(p)
		stop()
		<-done
	})
}

func TestNotify(t *testing.T) {
	to := &slowSecondary{answered: true}
	notifying(t, to, func(p *primary) {
		for i, want := range []int{1, 2, 3} { // the first is announced at the start
			if to.calls != want {
				t.Errorf("%d notifications, want %d", to.calls, want)
			}
			p.put(uint32(101+i), "x", home)
			synctest.Wait()
		}
	})
}

// While a secondary is slow, changes accumulate and are announced once.
func TestNotifyCoalesces(t *testing.T) {
	to := &slowSecondary{took: time.Minute, answered: true}
	notifying(t, to, func(p *primary) {
		for i := range 10 {
			p.put(uint32(101+i), "x", home)
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		if to.calls != 2 {
			t.Errorf("%d notifications, want one at the start and one after it", to.calls)
		}
	})
}

// P2: a secondary that does not answer is notified again for a while, and from the
// beginning after a new change (RFC 1996 3.6).
func TestP2NotifyRepeats(t *testing.T) {
	to := &slowSecondary{took: 2 * time.Second, err: errors.New("nobody there")}
	notifying(t, to, func(p *primary) {
		time.Sleep(time.Hour)
		synctest.Wait()
		if want := 1 + len(pauses); to.calls != want {
			t.Errorf("%d notifications, want %d", to.calls, want)
		}
		to.calls = 0
		for i, want := range []int{3, 6} { // a new change ends the pause
			p.put(uint32(101+i), "x", home)
			time.Sleep(7 * time.Second)
			synctest.Wait()
			if to.calls != want {
				t.Errorf("%d notifications after %d changes, want %d", to.calls, i+1, want)
			}
		}
		to.answered = true
		p.put(200, "x", home)
		time.Sleep(time.Hour)
		synctest.Wait()
		if to.calls != 7 {
			t.Errorf("%d notifications, want no more than one that is answered", to.calls)
		}
	})
}

// P2: secondaries that are dead, unreachable or refuse do not delay the living one, in any
// zone. What notifies the dead one is held up for good once it says so in the log.
func TestP2NotifyDeadAndLiving(t *testing.T) {
	dead, living := listen(t), listen(t)
	told := make(chan string, 16)
	go func() {
		buffer := make([]byte, 512)
		for {
			n, from, err := living.ReadFromUDPAddrPort(buffer)
			if err != nil {
				return
			}
			m := new(dns.Msg)
			if m.Unpack(buffer[:n]) == nil && m.Opcode == dns.OpcodeNotify {
				told <- m.Question[0].Name
				reply, _ := new(dns.Msg).SetReply(m).Pack()
				if _, err := living.WriteToUDPAddrPort(reply, from); err != nil {
					return
				}
			}
		}
	}()
	p := newPrimary(t)
	ended := make(chan struct{})
	p.Warn = func(string) { <-ended }
	other, err := resolve.ParseOrigin("example.org.")
	if err != nil {
		t.Fatal(err)
	}
	p.Serve(ClusterZones{new(resolve.View)}, []resolve.Origin{other})
	p.Policy = Policy{{Zones: []string{"."}, To: []string{"*", dead.LocalAddr().String(), living.LocalAddr().String()}}}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); p.Notify(ctx) }()
	defer func() { stop(); close(ended); <-done }()
	for i := range 4 {
		for _, want := range []string{clusterZone, "example.org."} {
			select {
			case <-told:
			case <-time.After(time.Minute):
				t.Fatalf("change %d: %s is not told", i, want)
			}
		}
		p.put(uint32(101+i), "x", home)
	}
}

// A secondary that is away is logged once, until it returns.
func TestNotifyTroubleIsLoggedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		to := &slowSecondary{err: errors.New("nobody there")}
		var lines []string
		n := &notifier{send: to.notify, name: "x", warn: func(text string) { lines = append(lines, text) }}
		for _, err := range []error{to.err, to.err, nil, to.err, to.err} {
			to.err, to.answered = err, err == nil
			n.notify(t.Context(), nil)
		}
		if want := []string{"x: nobody there", "x: nobody there"}; !slices.Equal(lines, want) {
			t.Errorf("%q", lines)
		}
	})
}

// The text of a failure is the same each time.
func TestNotifyTroubleHasNoPort(t *testing.T) {
	socket := listen(t)
	addr := socket.LocalAddr().String()
	socket.Close()
	s := secondary{zone: clusterZone, addr: addr}
	_, first := s.notify(t.Context())
	_, second := s.notify(t.Context())
	if first == nil || second == nil || first.Error() != second.Error() {
		t.Errorf("%v, then %v", first, second)
	}
}

// Secondaries are notified of the zones of other handlers too, but never of reverse zones,
// and for each zone by the rule with the longest name.
func TestNotifiedZones(t *testing.T) {
	p := newPrimary(t)
	for _, text := range []string{"example.org.", "2.0.192.in-addr.arpa."} {
		o, err := resolve.ParseOrigin(text)
		if err != nil {
			t.Fatal(err)
		}
		p.Serve(ClusterZones{new(resolve.View)}, []resolve.Origin{o})
	}
	p.Policy = Policy{
		{Zones: []string{"."}, To: []string{"10.0.0.1:53"}},
		{Zones: []string{"net.", "org."}, To: []string{"10.0.0.2:53", "[2001:db8::1]:5353"}},
	}
	var got []string
	for i := range p.served {
		for _, s := range p.Policy.secondaries(p.served[i].names()) {
			got = append(got, s.zone+" "+s.addr)
		}
	}
	if want := []string{"cluster.local. 10.0.0.1:53", "example.org. 10.0.0.2:53", "example.org. [2001:db8::1]:5353"}; !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	for client, want := range map[string]bool{"10.0.0.1": false, "2001:db8::1": true} {
		if got := p.Policy.allows("example.org.", client); got != want {
			t.Errorf("%s may have it: %v", client, got)
		}
	}
	if (Policy{}).allows("example.org.", "10.0.0.1") {
		t.Error("anybody may have it without a rule")
	}
}

// listen opens a socket that only the test reads.
func listen(t *testing.T) *net.UDPConn {
	t.Helper()
	socket, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { socket.Close() })
	return socket
}
