// Package telephony reads what providers of masked numbers and of messages
// report: calls and messages between couriers and consumers. It turns each
// provider's records into one form, folds them into calls and messages in
// whatever order they come, grades a call by how good a contact it was, and
// knows when a provider's silence means something. It judges nobody.
package telephony
