package proc

import (
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"
)

func TestUsageOfThisProcess(t *testing.T) {
	u, err := ReadUsage(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	if u.RSS <= 0 || u.Peak < u.Anonymous || u.CPU.Used <= 0 || u.Read <= 0 {
		t.Errorf("not what a process uses: %+v", u)
	}
}

// A busy child counts for its parent while it lives.
func TestTicksOfChildren(t *testing.T) {
	// A command with the test's context would end before its child is found, which then
	// goes on computing. The limit is for the case that the test is killed.
	cmd := exec.Command("sh", "-c", "ulimit -t 60; while :; do :; done & wait")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		endTree(t, cmd.Process.Pid)
		if err := cmd.Wait(); err == nil {
			t.Error("it ended by itself")
		}
	})
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); {
		used, err := ReadTicks(cmd.Process.Pid)
		if err != nil {
			t.Fatal(err)
		}
		if used >= 100*time.Millisecond {
			return
		}
	}
	t.Error("a child that computes uses no CPU")
}

func endTree(t *testing.T, pid int) {
	children, err := readChildren(pid)
	if err != nil {
		t.Error(err)
	}
	for _, child := range append(children, pid) {
		if err := syscall.Kill(child, syscall.SIGKILL); err != nil {
			t.Error(err)
		}
	}
}

func TestParseDrops(t *testing.T) {
	const table = `   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
  101: 0100007F:0035 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 1234 2 0000000000000000 7
  102: 00000000:0035 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 1235 2 0000000000000000 3
  103: 0100007F:0036 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 1236 2 0000000000000000 9
`
	if got, err := parseDrops(table, 53); err != nil || got != 10 {
		t.Errorf("got %d, %v, want 10", got, err)
	}
}
