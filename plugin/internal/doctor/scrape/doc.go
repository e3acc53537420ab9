// Package scrape reads what a process gives to Prometheus.
package scrape
