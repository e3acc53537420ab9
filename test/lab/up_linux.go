package lab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/clusterdns/clusterdns/test/controlplane"
	"github.com/clusterdns/clusterdns/test/lab/node"
)

// The arguments with which this command starts itself in the namespaces of a node. The
// lab's folder and settings follow.
const (
	nodeCommand      = "node"
	superviseCommand = "supervise"
	joinCommand      = "join"
)

const (
	startTimeout = 5 * time.Minute // on a busy machine
	stopTimeout  = 30 * time.Second
	// serverBinary is our server in the repository.
	serverBinary = "bin/coredns"
	// progressOfTheNode begins the lines in the node's log that report its progress.
	progressOfTheNode = "node: "
)

// Up brings the lab up, or updates a running one.
func Up(ctx context.Context, settings node.Settings) error {
	if err := settings.Check(); err != nil {
		return err
	}
	if err := Install(); err != nil {
		return err
	}
	l, err := locate()
	if err != nil {
		return err
	}
	if err := l.startNodes(ctx, settings); err != nil {
		return err
	}
	if err := l.connect(ctx); err != nil {
		return err
	}
	for _, step := range []struct {
		what string
		do   func(context.Context) error
	}{
		{"making and importing the test images", l.importImages},
		{"waiting for the nodes", l.awaitNodes},
		{"making the server's image and installing deploy/kubernetes", l.installDNS},
	} {
		say("%s", step.what)
		if err := step.do(ctx); err != nil {
			return err
		}
	}
	say("up: the cluster's DNS is at %s", DNS)
	return nil
}

func (l *Lab) importImages(ctx context.Context) error {
	programs, err := l.buildPrograms(ctx)
	if err != nil {
		return err
	}
	images, err := l.testImages(programs)
	if err != nil {
		return err
	}
	for name, i := range images {
		archive, err := l.makeImage(ctx, programs["image"], name, i)
		if err != nil {
			return err
		}
		if _, err := l.Import(ctx, archive); err != nil {
			return err
		}
	}
	return nil
}

// startNodes starts the nodes if they do not run. If they have started only partly, or with
// other settings or by another version of this command, they are ended and their remains
// are removed first.
func (l *Lab) startNodes(ctx context.Context, settings node.Settings) error {
	running, err := l.runs()
	if err != nil {
		return err
	}
	if running && l.isCurrent(settings) && l.Control().Ready(ctx) == nil {
		say("what was asked for runs already")
		return nil
	}
	if err := Down(ctx); err != nil {
		return err
	}
	say("building what is not in the cache")
	if _, err := controlplane.Build(ctx, commands()...); err != nil {
		return err
	}
	return l.launch(ctx, settings)
}

// isCurrent reports whether the same version of this command started the nodes, with the
// same settings.
func (l *Lab) isCurrent(settings node.Settings) bool {
	own, err := describeStarter(settings)
	if err != nil {
		return false
	}
	starter, err := os.ReadFile(l.starterFile())
	return err == nil && string(starter) == own
}

// describeStarter returns the digest of this command and the settings.
func describeStarter(settings node.Settings) (string, error) {
	digest, err := digestFile("/proc/self/exe")
	return digest + " " + settings.String(), err
}

// starterFile returns the path of the file that describes what started the nodes.
func (l *Lab) starterFile() string { return filepath.Join(string(l.dir), "starter") }

// commands returns all commands that the lab and its tests run, so that they are built in
// advance.
func commands() []string {
	return append(node.Commands(), "etcd", "kube-apiserver", "kube-controller-manager", "kubectl", "kubeadm", "agnhost", "ctr", "e2e.test")
}

// launch starts the first node's first process and waits until everything has started.
func (l *Lab) launch(ctx context.Context, settings node.Settings) error {
	if err := os.MkdirAll(string(l.dir), 0o755); err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	log, err := os.Create(l.dir.Log("node"))
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.Command(self, nodeCommand, string(l.dir), settings.String(), filepath.Join(l.root, serverBinary))
	cmd.Dir, cmd.Stdout, cmd.Stderr, cmd.SysProcAttr = l.root, log, log, node.Attributes()
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("starting the node in namespaces of its own: %w", err)
	}
	if err := os.WriteFile(l.pidFile(), []byte(strconv.Itoa(cmd.Process.Pid)), 0o644); err != nil {
		return err
	}
	own, err := describeStarter(settings)
	if err != nil {
		return err
	}
	if err := os.WriteFile(l.starterFile(), []byte(own), 0o644); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	return l.awaitStart(ctx, ended)
}

func (l *Lab) awaitStart(ctx context.Context, ended <-chan error) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	shown := 0
	err := wait.PollUntilContextCancel(ctx, 100*time.Millisecond, true, func(ctx context.Context) (bool, error) {
		shown = l.showProgress(shown)
		select {
		case err := <-ended:
			return false, fmt.Errorf("the node ended: %w", err)
		default:
			return l.Control().Ready(ctx) == nil, nil
		}
	})
	if err != nil {
		log, _ := os.ReadFile(l.dir.Log("node"))
		return fmt.Errorf("%w\n%s", err, log)
	}
	return nil
}

// showProgress prints the node's progress lines, beginning with line from.
func (l *Lab) showProgress(from int) int {
	log, err := os.ReadFile(l.dir.Log("node"))
	if err != nil {
		return from
	}
	lines := strings.Split(string(log), "\n")
	for ; from < len(lines)-1; from++ {
		if what, found := strings.CutPrefix(lines[from], progressOfTheNode); found {
			say("%s", what)
		}
	}
	return from
}

// Down ends the lab and removes everything that it made. It does nothing if there is no
// lab.
func Down(ctx context.Context) error {
	l, err := locate()
	if err != nil {
		return err
	}
	running, err := l.runs()
	if err != nil {
		return err
	}
	if running {
		say("ending the nodes")
		if err := endProcess(ctx, l.pid); err != nil {
			return err
		}
	}
	if err := awaitRemoval(ctx, l.dir.RemoveCgroups); err != nil {
		return err
	}
	return awaitRemoval(ctx, func() error { return os.RemoveAll(string(l.dir)) })
}

// endProcess kills the first process of a namespace, and with it all others.
func endProcess(ctx context.Context, pid int) error {
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
		return err
	}
	return awaitRemoval(ctx, func() error {
		if _, err := os.Stat(filepath.Join("/proc", strconv.Itoa(pid), "ns", "pid")); err == nil {
			return fmt.Errorf("process %d still runs", pid)
		}
		return nil
	})
}

// awaitRemoval repeats remove while the kernel still takes namespaces and cgroups apart.
func awaitRemoval(ctx context.Context, remove func() error) error {
	var last error
	poll := func(context.Context) (bool, error) {
		last = remove()
		return last == nil, nil
	}
	if err := wait.PollUntilContextTimeout(ctx, 50*time.Millisecond, stopTimeout, true, poll); err != nil {
		return fmt.Errorf("%w: %w", err, last)
	}
	return nil
}

// RunNode does the work of the first node's first process.
func RunNode(args []string) error {
	d, settings, _, err := nodeArguments(args)
	if err != nil {
		return err
	}
	supervise := exec.Command("/proc/self/exe", append([]string{superviseCommand}, args...)...)
	supervise.Stdout, supervise.Stderr = os.Stdout, os.Stderr
	return node.Run(d, settings, supervise)
}

// Supervise does the work of the first node's second process.
func Supervise(args []string) error {
	d, settings, upstream, err := nodeArguments(args)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	return node.Supervise(ctx, d, settings, upstream, func(number int) *exec.Cmd {
		return exec.Command("/proc/self/exe", joinCommand, args[0], args[1], strconv.Itoa(number))
	})
}

// Join does the work of a further node's process.
func Join(args []string) error {
	d, settings, last, err := nodeArguments(args)
	if err != nil {
		return err
	}
	number, err := strconv.Atoi(last)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	return node.Join(ctx, d, number, settings)
}

// nodeArguments reads the arguments with which this command starts itself.
func nodeArguments(args []string) (d node.Dir, settings node.Settings, last string, err error) {
	if len(args) != 3 {
		return "", node.Settings{}, "", errors.New("only the lab itself starts a node")
	}
	settings, err = node.ParseSettings(args[1])
	return node.Dir(args[0]), settings, args[2], err
}
