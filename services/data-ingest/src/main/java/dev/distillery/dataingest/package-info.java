/** From a train request to image-text shards and a teacher in the store: the listener, and the plain classes it calls. */
package dev.distillery.dataingest;
