// Package conformance proves on a running server that Pusher clients and server libraries work with it. It holds tests
// alone: one for each trap of the protocol's checklist, under its number, and some that show what holds under load, noise
// and sudden ends. docs/conformance.md lists where each trap is proved, and a test keeps that list true.
//
// The tests stand behind the build tag conformance, because they need the built binary, Node and Chromium;
// `make conformance` brings all that. By itself the suite starts `peal dev` with the apps of testdata/seed.yaml and stops what
// it started. With CONFORMANCE_HOST it is pointed at any other server (see target_test.go); what needs a setting that such
// a server was not said to have is skipped with the reason.
//
// It knows nothing of our packages: what it expects was written down from the protocol, not taken from the code.
//
// Start with target_test.go, which says what is tested; client_test.go is a client of the wire, and library_test.go makes it
// as strict as the libraries that cannot run here. The folder sdk holds the tests that drive JavaScript libraries.
package conformance
