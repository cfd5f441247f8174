// Package rpc is the publish RPC: what a customer's server may do on the edge, over Connect, gRPC and plain JSON. It is
// another entrance to the same road as the HTTP API, under the same limits.
//
// Start with [New]. auth.go knows who calls, publish.go and channels.go answer, errors.go maps errors to Connect's
// codes. The schema is in proto, what is generated from it in gen.
package rpc
