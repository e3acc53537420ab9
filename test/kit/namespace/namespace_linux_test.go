package namespace

import (
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

func TestAttributes(t *testing.T) {
	here, err := os.Readlink("/proc/self/ns/net")
	if err != nil {
		t.Fatal(err)
	}
	for flags, own := range map[uintptr]bool{0: false, syscall.CLONE_NEWNET: true} {
		cmd := exec.Command("readlink", "/proc/self/ns/net")
		cmd.SysProcAttr = Attributes(flags)
		out, err := cmd.CombinedOutput()
		if there := strings.TrimSpace(string(out)); err != nil || (there != here) != own {
			t.Errorf("flags %#x: %v, network namespace %s, and %s here", flags, err, there, here)
		}
	}
}
