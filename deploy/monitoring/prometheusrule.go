package main

import (
	"bytes"
	"errors"
	"os"
)

const ruleFile = "rules.yaml"

const ruleHeader = `# Made from rules.yaml by "make monitoring". Do not edit.
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: clusterdns
  namespace: kube-system
  labels:
    app.kubernetes.io/name: clusterdns
spec:
`

// prometheusRule returns rules.yaml as the object that the Prometheus operator reads. It moves
// the text, so that the comments stay.
func prometheusRule() ([]byte, error) {
	rules, err := os.ReadFile(ruleFile)
	if err != nil {
		return nil, err
	}
	_, groups, found := bytes.Cut(rules, []byte("\ngroups:"))
	if !found {
		return nil, errors.New(ruleFile + " has no groups")
	}
	object := bytes.NewBufferString(ruleHeader)
	for line := range bytes.Lines(append([]byte("groups:"), groups...)) {
		if len(bytes.TrimSpace(line)) > 0 {
			object.WriteString("  ")
		}
		object.Write(line)
	}
	return object.Bytes(), nil
}
