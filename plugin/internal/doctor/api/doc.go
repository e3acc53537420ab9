// Package api reads from an API server with the rights of a user or of a Pod, and says in words which right is missing.
package api
