package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/clusterdns/clusterdns/test/controlplane"
)

// The columns of the table.
const (
	oursColumn  = "clusterdns"
	stockColumn = "stock"
)

// bench is a loaded cluster, what is measured in it, and what came out.
type bench struct {
	options
	dir        string            // ours to remove
	binaries   map[string]string // by column
	cluster    *controlplane.Cluster
	client     *kubernetes.Clientset
	kubeconfig string
	steady     []question // whose answers never change
	changed    int        // how many addresses the changing endpoint has had
	report     *report
}

// question is a name and the answer it must have.
type question struct{ qname, want string }

func startBench(ctx context.Context, o options) (*bench, error) {
	dir, err := os.MkdirTemp("", "clusterdns-scale-")
	if err != nil {
		return nil, err
	}
	b := &bench{options: o, dir: dir, binaries: map[string]string{}, report: newReport(oursColumn)}
	if o.stock != "" {
		b.report = newReport(oursColumn, stockColumn)
	}
	if err := b.start(ctx); err != nil {
		b.stop()
		return nil, err
	}
	return b, nil
}

func (b *bench) start(ctx context.Context) (err error) {
	if err := b.copyBinaries(); err != nil {
		return err
	}
	if b.cluster, err = startFromStore(ctx, b.options, b.dir); err != nil {
		return err
	}
	if b.client, err = protobufClient(b.cluster.RESTConfig()); err != nil {
		return err
	}
	b.kubeconfig, err = b.cluster.Kubeconfig(b.cluster.Admin())
	b.steady = b.shape.steadyQuestions(20)
	return err
}

// copyBinaries makes all runs measure the same program, even when somebody
// builds another one meanwhile.
func (b *bench) copyBinaries() error {
	for _, column := range b.report.columns {
		from := map[string]string{oursColumn: b.bin, stockColumn: b.stock}[column]
		b.binaries[column] = filepath.Join(b.dir, column)
		if err := copyProgram(b.binaries[column], from); err != nil {
			return fmt.Errorf("no binary to measure: %w", err)
		}
	}
	return nil
}

// copyProgram copies in small pieces, as a program comes to a machine. Written
// at once it lies in huge pages of the page cache, of which each that is touched
// counts in full: that makes 17 MB of RSS.
func copyProgram(to, from string) error {
	source, err := os.Open(from)
	if err != nil {
		return err
	}
	defer source.Close()
	target, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o755)
	if err != nil {
		return err
	}
	// Without its other methods the file cannot be copied by one system call.
	_, err = io.Copy(struct{ io.Writer }{target}, struct{ io.Reader }{source})
	return errors.Join(err, target.Close())
}

func (b *bench) stop() {
	if b.cluster != nil {
		b.cluster.Stop()
	}
	os.RemoveAll(b.dir)
}

// runLives alternates between the binaries, so that what the machine does
// meanwhile meets both.
func (b *bench) runLives(ctx context.Context) error {
	for i := range b.runs {
		for _, column := range b.report.columns {
			logf("run %d of %d: %s", i+1, b.runs, column)
			if err := b.runLife(ctx, column); err != nil {
				return fmt.Errorf("%s: %w", column, err)
			}
		}
	}
	return nil
}

// warm makes the API server read all there is into its watch cache, as it has in
// a cluster that has run for a while.
func (b *bench) warm(ctx context.Context) error {
	for _, resource := range []struct {
		client rest.Interface
		name   string
	}{
		{b.client.CoreV1().RESTClient(), "namespaces"},
		{b.client.CoreV1().RESTClient(), "services"},
		{b.client.CoreV1().RESTClient(), "pods"},
		{b.client.DiscoveryV1().RESTClient(), "endpointslices"},
	} {
		began := time.Now()
		_, err := resource.client.Get().Resource(resource.name).Param("resourceVersion", "0").DoRaw(ctx)
		if err != nil {
			return fmt.Errorf("listing %s: %w", resource.name, err)
		}
		if took := time.Since(began); took > time.Second {
			logf("listing %s took %s", resource.name, took.Round(time.Second/10))
		}
	}
	return nil
}

// steadyQuestions ask for up to n names, half of them of headless Services.
func (s shape) steadyQuestions(n int) []question {
	var all []question
	for _, service := range s.virtualServices(n / 2) {
		all = append(all, question{s.question(service), s.clusterIP(service)})
	}
	for _, service := range s.headlessServices(n - len(all)) {
		var want []string
		from, to := s.endpoints(service)
		for i := from; i < to; i++ {
			want = append(want, endpointAddress(i).String())
		}
		all = append(all, question{s.question(service), joinAddresses(want)})
	}
	return all
}

func (s shape) question(service int) string {
	return serviceQuestion(s.serviceName(service), s.namespaceOfService(service))
}
