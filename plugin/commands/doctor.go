package commands

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/clusterdns/clusterdns/plugin/internal/doctor"
	"github.com/clusterdns/clusterdns/plugin/internal/doctor/patient"
	"github.com/clusterdns/clusterdns/plugin/internal/kube/apiserver"
)

const doctorUsage = `usage: coredns doctor [-kubeconfig FILE] [-context NAME] [-service NAMESPACE/NAME] [-conf COREFILE] [-o text|json]

Examines the DNS of a cluster, and says of each thing in one line whether it is as it should be: green, yellow,
red, or unknown if that cannot be told. It changes nothing, and takes ten seconds at most.
Exits with 0 if all is green or yellow, 3 if something is red, 4 if something cannot be told, 1 for a wrong flag.

`

// Doctor is the command coredns doctor. It returns the exit code.
func Doctor(args []string, _ io.Reader, out, errOut io.Writer) int {
	var o patient.Options
	c := newCall("doctor", doctorUsage, out, errOut)
	kube := kubeconfigFlags(c.FlagSet)
	c.StringVar(&o.Service, "service", "", "the Service of the DNS server; by default kube-dns in kube-system, by its labels if it has another name")
	c.StringVar(&o.Corefile, "conf", "", "a Corefile to judge in place of the one that the Pods have")
	if _, code, done := c.arguments(args, none); done {
		return code
	}
	o.Kubeconfig, o.Context = *kube.file, *kube.context
	report, err := doctor.Run(context.Background(), o)
	if errors.Is(err, apiserver.ErrNoKubeconfig) {
		err = fmt.Errorf("%w\nor examine it from a Pod of the server: kubectl -n kube-system exec deploy/coredns -- /coredns doctor", err)
	}
	if err != nil {
		return c.fail(doctor.ExitUnknown, err)
	}
	if err := printReport(out, *c.format, report); err != nil {
		return c.fail(exitUsage, err)
	}
	return report.Exit
}

func printReport(out io.Writer, format string, r *doctor.Report) error {
	if format == "json" {
		return printJSON(out, r, indent)
	}
	for i := range r.Results {
		one := &r.Results[i]
		line := fmt.Sprintf("%-8s%-10s %s", one.Light, one.Check, one.What)
		if one.Remedy != "" {
			line += " => " + one.Remedy
		}
		if _, err := fmt.Fprintln(out, line); err != nil {
			return err
		}
	}
	return nil
}
