package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

const ruleTests = "rules_test.yaml"

// TestRules runs the file of tests as an operator would, with Prometheus' own tool.
func TestRules(t *testing.T) {
	promtool := filepath.Join(t.TempDir(), "promtool")
	// The tag leaves out the SDKs of clouds, with which Prometheus finds its targets.
	run(t, "go", "build", "-tags=remove_all_sd", "-o", promtool, "github.com/prometheus/prometheus/cmd/promtool")
	run(t, promtool, "check", "rules", "--lint=all", "--lint-fatal", ruleFile)
	run(t, promtool, "test", "rules", ruleTests)
}

func run(t *testing.T, command string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), command, args...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", cmd, err, out)
	}
}

// TestEachAlertFiresAndIsSilent checks that the file of tests leaves no alert out.
func TestEachAlertFiresAndIsSilent(t *testing.T) {
	type unitTests struct {
		Tests []struct {
			AlertRuleTest []struct {
				Alertname string
				ExpAlerts []map[string]any `yaml:"exp_alerts"`
			} `yaml:"alert_rule_test"`
		}
	}
	fires, silent := map[string]bool{}, map[string]bool{}
	for _, group := range parse[unitTests](t, ruleTests).Tests {
		for _, test := range group.AlertRuleTest {
			if len(test.ExpAlerts) > 0 {
				fires[test.Alertname] = true
			} else {
				silent[test.Alertname] = true
			}
		}
	}
	for _, a := range alerts(t) {
		if !fires[a.Alert] || !silent[a.Alert] {
			t.Errorf("%s fires in a test: %t, is silent in a test: %t", a.Alert, fires[a.Alert], silent[a.Alert])
		}
	}
}
