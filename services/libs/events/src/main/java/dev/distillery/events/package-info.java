/** The contract between the services and with their users: payloads, topics, requests and how they are written. */
package dev.distillery.events;
