/** An Apache Kafka broker and an S3 server inside the JVM, both persistent in a folder: for the standalone and for tests. */
package dev.distillery.embedded;
