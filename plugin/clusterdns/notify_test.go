package clusterdns

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	clog "github.com/coredns/coredns/plugin/pkg/log"

	"github.com/clusterdns/clusterdns/plugin/internal/zone"
)

// slowSecondaries take their time.
type slowSecondaries struct {
	took  time.Duration
	err   error
	calls []string
}

func (s *slowSecondaries) Notify(zone string) error {
	time.Sleep(s.took)
	s.calls = append(s.calls, zone)
	return s.err
}

// notifying runs a notifier in a bubble of its own time until the test is over.
func notifying(t *testing.T, to *slowSecondaries, test func(p *primary)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		p := newPrimary(t)
		ctx, stop := context.WithCancel(context.Background())
		n := &notifier{secondaries: to, origins: []string{clusterZone}, store: p.d.store, log: clog.NewWithPlugin("test")}
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
	to := new(slowSecondaries)
	notifying(t, to, func(p *primary) {
		for i, want := range []int{1, 2, 3} { // the first is told at the start
			if len(to.calls) != want {
				t.Errorf("%d notifications, want %d", len(to.calls), want)
			}
			p.put(uint32(101+i), "x", home)
			synctest.Wait()
		}
	})
}

// While a secondary is slow, changes gather: it is told of them once.
func TestNotifyCoalesces(t *testing.T) {
	to := &slowSecondaries{took: time.Minute}
	notifying(t, to, func(p *primary) {
		for i := range 10 {
			p.put(uint32(101+i), "x", home)
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		if len(to.calls) != 2 {
			t.Errorf("%d notifications, want one at the start and one after it", len(to.calls))
		}
	})
}

// A secondary that is away is worth one line, until it has been back.
func TestNotifyTroubleIsLoggedOnce(t *testing.T) {
	to := &slowSecondaries{err: errors.New("nobody there")}
	logged := captureLog(t)
	n := &notifier{secondaries: to, origins: []string{clusterZone}, log: clog.NewWithPlugin("test")}
	for range 3 {
		n.tell()
	}
	to.err = nil
	n.tell()
	to.err = errors.New("nobody there")
	n.tell()
	wantLines(t, logged.String(), []string{"nobody there", "nobody there"})
}

// Secondaries are told of the zones of other handlers too, but never of reverse zones.
func TestNotifiedZones(t *testing.T) {
	d := testHandler(t)
	for _, text := range []string{"example.org.", "2.0.192.in-addr.arpa."} {
		o, err := zone.ParseOrigin(text)
		if err != nil {
			t.Fatal(err)
		}
		d.AddTransfers([]zone.Origin{o})
	}
	if got := forwardNames(d.transfers()); !slices.Equal(got, []string{clusterZone, "example.org."}) {
		t.Errorf("%q", got)
	}
}

// Nobody is told before the sockets are open, or by an instance that never was.
func TestBeginsOnceItServes(t *testing.T) {
	useRegistry(t)
	one := manifest(t)
	i := startInstance(t, corefileOf(one))
	i.StorageMu.RLock()
	begins, _ := i.Storage[servingKey{}].([]func())
	i.StorageMu.RUnlock()
	if len(begins) != 1 {
		t.Errorf("%d functions wait for the start, want 1 for each server block", len(begins))
	}
}
