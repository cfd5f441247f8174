// Package tenants is who may speak: the tenants of the platform, their users, apps and keys, and the rules
// that hold for them. It knows no SQL, no network and none of Peal's other packages.
//
// Start with [App] and [Key], then [Cache], through which the edge sees them. Passwords are in password.go,
// what a role may do in role.go, and how secrets are kept at rest in sealer.go. The rows themselves live in
// the package pgstore beside this one.
package tenants
