package lab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
)

// repositoryName is the name of our image in deploy/kubernetes.
const repositoryName = "registry.example/clusterdns/coredns"

// installDNS makes the image of our server and installs it as a user would: with
// deploy/kubernetes and the image set.
func (l *Lab) installDNS(ctx context.Context) error {
	name, err := l.importServer(ctx)
	if err != nil {
		return err
	}
	base, err := filepath.Rel(l.overlay(), filepath.Join(l.root, "deploy", "kubernetes"))
	if err != nil {
		return err
	}
	repository, tag, _ := strings.Cut(name, ":")
	overlay := fmt.Sprintf("resources: [%s]\nimages: [{name: %s, newName: %s, newTag: %s}]\n", base, repositoryName, repository, tag)
	if err := os.MkdirAll(l.overlay(), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(l.overlay(), "kustomization.yaml"), []byte(overlay), 0o644); err != nil {
		return err
	}
	if _, err := l.Kubectl(ctx, "apply", "--server-side", "--force-conflicts", "-k", l.overlay()); err != nil {
		return err
	}
	return l.AwaitRollout(ctx, "kube-system", "deployment/coredns")
}

func (l *Lab) overlay() string { return filepath.Join(string(l.dir), "overlay") }

// AwaitRollout waits until a workload such as "deployment/web" has rolled out.
func (l *Lab) AwaitRollout(ctx context.Context, namespace, workload string) error {
	_, err := l.Kubectl(ctx, "rollout", "status", "--namespace", namespace, workload, "--timeout=3m")
	return err
}

// importServer imports our image and returns its name, which depends on its content, so
// that a change rolls the Deployment.
func (l *Lab) importServer(ctx context.Context) (name string, err error) {
	archive := filepath.Join(string(l.dir), "coredns.tar")
	cmd := exec.CommandContext(ctx, "make", "-s", "-C", l.root, "image", "IMAGE="+archive, "PLATFORMS=linux/"+runtime.GOARCH, "VERSION=lab")
	// The flags of an outer make must not reach the inner one.
	cmd.Env = append(os.Environ(), "MAKEFLAGS=", "MAKEOVERRIDES=")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%s: %w\n%s", cmd, err, out)
	}
	digest, err := l.Import(ctx, archive)
	if err != nil {
		return "", err
	}
	name = repositoryName + ":lab-" + digest
	return name, l.Tag(ctx, repositoryName+":lab", name)
}

// awaitNodes waits until the nodes accept Pods.
func (l *Lab) awaitNodes(ctx context.Context) error {
	for _, n := range l.nodes {
		var last error
		poll := func(ctx context.Context) (bool, error) {
			last = l.checkNode(ctx, n.Name)
			return last == nil, nil
		}
		if err := wait.PollUntilContextTimeout(ctx, 200*time.Millisecond, 2*time.Minute, true, poll); err != nil {
			return fmt.Errorf("node %s is not ready: %w: %w (see %s)", n.Name, err, last, n.Log("kubelet"))
		}
	}
	return nil
}

func (l *Lab) checkNode(ctx context.Context, name string) error {
	n, err := l.client.CoreV1().Nodes().Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return err
	}
	for _, condition := range n.Status.Conditions {
		if condition.Type == corev1.NodeReady {
			if condition.Status == corev1.ConditionTrue {
				return nil
			}
			return errors.New(condition.Message)
		}
	}
	return errors.New("kubelet has not reported its condition")
}
