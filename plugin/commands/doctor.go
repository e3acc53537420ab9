package commands

import (
	"context"
	"fmt"
	"io"

	"github.com/clusterdns/clusterdns/plugin/internal/doctor"
	"github.com/clusterdns/clusterdns/plugin/internal/doctor/patient"
)

const doctorUsage = `usage: coredns doctor [-kubeconfig FILE] [-context NAME] [-service NAMESPACE/NAME] [-conf COREFILE] [-o text|json]

Examines the DNS of a cluster, and says of each thing in one line whether it is as it should be: green, yellow,
red, or unknown if that cannot be told. It changes nothing, and takes ten seconds at most.
Exits with 0 if all is green or yellow, 3 if something is red, 4 if something cannot be told, 1 for a wrong flag.

`

// Doctor is the command coredns doctor. It returns the exit code.
func Doctor(args []string, _ io.Reader, out, errOut io.Writer) int {
	var o patient.Options
	flags := newFlags("doctor", doctorUsage, errOut)
	kube := kubeconfigFlags(flags)
	flags.StringVar(&o.Service, "service", "", "the Service of the DNS server; by default kube-dns in kube-system, by its labels if it has another name")
	flags.StringVar(&o.Corefile, "conf", "", "a Corefile to judge in place of the one that the Pods have")
	format := formatFlag(flags)
	if _, code, done := parseFlags(flags, args, func(others []string) bool { return len(others) == 0 && isFormat(*format) }); done {
		return code
	}
	o.Kubeconfig, o.Context = *kube.file, *kube.context
	report, err := doctor.Run(context.Background(), o)
	if err != nil {
		fmt.Fprintln(errOut, err)
		return doctor.ExitUnknown
	}
	if err := printReport(out, *format, report); err != nil {
		fmt.Fprintln(errOut, err)
		return 1
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
