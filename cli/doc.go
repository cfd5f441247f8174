// Package cli is the commands with which people work on a platform from anywhere: apps, keys, limits, members, usage. They
// speak the admin API, and to publish and subscribe the edge, like any other client.
//
// Start with [Commands], then session.go, which says for whom and where a command works, and output.go, which prints what came
// back. Then there is one file for each command.
package cli
