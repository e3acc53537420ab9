// Command monitoring writes the files in its folder that are made from others: the Grafana
// dashboard from the tables in panels.go, and the object for the Prometheus operator from
// rules.yaml.
//
//	go run -C deploy/monitoring .      # or make monitoring
//
// It is a module of its own, because nothing else needs Grafana's and Prometheus' libraries.
package main

import (
	"log"
	"os"
)

func main() {
	for name, write := range generated {
		text, err := write()
		if err == nil {
			err = os.WriteFile(name, text, 0o644)
		}
		if err != nil {
			log.Fatalf("%s: %v", name, err)
		}
	}
}

// generated are the files that this command writes, in its folder.
var generated = map[string]func() ([]byte, error){
	"dashboard.json":      dashboardFile,
	"prometheusrule.yaml": prometheusRule,
}
