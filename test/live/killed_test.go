package live

import (
	"context"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/clusterdns/clusterdns/test/kit/await"
	"github.com/clusterdns/clusterdns/test/kit/coredns"
	"github.com/clusterdns/clusterdns/test/kit/freeport"
	"github.com/clusterdns/clusterdns/test/kit/process"
)

// serverVariable has the Corefile of a process of the tests that is a server.
const serverVariable = "CLUSTERDNS_TEST_SERVER"

func serveUntilKilled(corefile string) {
	if _, err := coredns.Start(coredns.Input(corefile)); err != nil {
		log.Fatal(err)
	}
	select {}
}

// A server that is killed (-9) is followed by one that answers from its file, while the API server is
// there. No answer is wrong, no serial goes back, and what has changed meanwhile is seen.
func TestKilledServer(t *testing.T) {
	t.Parallel()
	c := everybodys.start(t)
	w := world{namespace: "killed", octet: "171"}
	c.apply(t, w.before().objects())
	port, folder := freeport.Port(t), t.TempDir()
	file := filepath.Join(folder, "state")
	k := &killed{server: &server{addr: "127.0.0.1:" + port}, log: filepath.Join(folder, "log"),
		corefile: strings.ReplaceAll(block(c.user(t, "killed").direct(t), "pods verified", "state "+file), ":0 ", ":"+port+" ")}
	k.start(t)
	k.await(t, w.before().answers())
	eventually(t, func() error { _, err := os.Stat(file); return err })

	serial := k.serial(t)
	for range 3 {
		k.Kill()
		k.start(t)
		k.awaitRight(t, w.before().answers())
		k.await(t, w.before().answers())
		now := k.serial(t)
		if now < serial { // two starts in one second have one serial, which no transfer has yet
			t.Errorf("the serial is %d, after %d", now, serial)
		}
		serial = now
	}
	w.change(t, c)
	k.await(t, w.after().answers())
	k.Kill() // the file may be older than the change
	k.start(t)
	k.awaitRight(t, w.before().answers(), w.after().answers())
	k.await(t, w.after().answers())
	eventually(t, func() error {
		if now := k.serial(t); now <= serial {
			return fmt.Errorf("the serial is %d, after %d", now, serial)
		}
		return nil
	})
	if text, err := os.ReadFile(k.log); err != nil || !strings.Contains(string(text), "serving what was known") {
		t.Errorf("%v; no start was from the file:\n%s", err, text)
	}
}

// killed is a server in a process of its own.
type killed struct {
	*server
	*process.Process
	corefile, log string
}

func (k *killed) start(t *testing.T) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), serverVariable+"="+k.corefile)
	var err error
	if k.Process, err = process.StartCommand(cmd, k.log); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(k.Kill)
}

// awaitRight asks from the start on, until an answer comes. It must be right in one of the states.
func (k *killed) awaitRight(t *testing.T, states ...answers) {
	t.Helper()
	for question := range states[0] {
		await.Success(t, time.Millisecond, patience, func(context.Context) error {
			got := k.ask(question)
			if strings.Contains(got, "connection refused") {
				return fmt.Errorf("%s", got)
			}
			if !slices.ContainsFunc(states, func(right answers) bool { return right[question] == got }) {
				t.Errorf("%s: %s", question, got)
			}
			return nil
		})
	}
	t.Logf("answered %s after the start", time.Since(k.Began()).Round(time.Millisecond))
}
