// Package chaos breaks a running platform on purpose and holds what its clients saw against what Peal promises.
//
// Each [Row] is a failure with a name: Redis is killed, an edge is cut off, a rolling restart. A row starts real servers and
// real edges, seats sockets, publishes at a steady rate, breaks something, mends it, and then checks the ledgers
// (package ledger) and the goals of the row: how soon events flow again, how many sockets were lost, how long a refusal
// took. [Run] runs rows and `make chaos` writes what came of it into docs/reliability.md. A short form of the most
// telling rows runs with the other tests.
//
// It never asks the code what it meant to do: everything goes through the doors of the binary. Start with row.go, and with
// rows_redis.go for how a row reads.
package chaos
