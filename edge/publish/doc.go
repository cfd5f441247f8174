// Package publish is the one road by which an event enters: it checks the event against its app's limits,
// encodes it once and hands it to the bus. It does not ask who publishes, which is for the doors to know, and
// it delivers to nobody.
//
// Start with [Publisher.Publish]; check.go holds the rules, errors.go what a door can be told.
package publish
