// Package adminapi serves the control plane's contract, admin-api/proto, over Connect: to the dashboard and
// to whoever else speaks it. Handlers turn requests into the words of the package tenants and call one
// method of the store; who may call is decided before them, by the permission that each method names in the
// schema. It never touches a socket of a customer.
//
// Start with [New] in server.go, then interceptors.go for what happens around each call, and one file per
// service. Generated types stay inside this package: convert.go is the border.
package adminapi
