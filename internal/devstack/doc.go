// Package devstack starts servers of its own from the binaries of this machine: a private PostgreSQL for `peal dev`, and
// PostgreSQL and Redis for the tests. Each listens on a Unix socket in a folder that only its owner can enter, lives in a
// data folder that nothing else uses, and ends with the process that started it, however that process ends.
//
// It never touches a server that it did not start, never listens on a network address, and is no way to run
// production: `peal serve` is given the address of a database that somebody looks after.
//
// Start reading at StartPostgres; process.go holds what both servers share.
package devstack
