// Package bench measures a doorstep server beside what it can be compared with:
// the raw database engine inserting the same rows, an HTTP handler that only
// decodes, a bare append with fsync, and the bare Firebase SDK.
//
// A figure alone says little, for machines differ and the same machine is twice
// as fast in another hour. So each row measures both sides in turns, A B A B,
// and what counts is the median of the ratios of the pairs.
//
// The server is the program as it is shipped, a process of its own, reached over
// loopback HTTP with real tokens. It shares the processors with the clients, but
// neither heap nor scheduler, and its memory is its own. References that could
// profit from a warm neighbour, the decoding handler and the SDK, are processes
// too.
package bench
