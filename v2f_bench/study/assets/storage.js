"use strict";
// Where a session waits until it is done: the browser's data base, in which a value is on the disk before `put`
// returns. localStorage is written some seconds later, so that a killed browser would lose answers; it serves where the
// data base is not to be had, and memory alone where neither is.

class SessionStore {
  static async open(name) {
    const storage = new SessionStore();
    storage.kind = "memory";
    storage.values = new Map();
    try {
      storage.base = await new Promise((resolve, reject) => {
        const request = indexedDB.open(name, 1);
        request.onupgradeneeded = () => request.result.createObjectStore("sessions");
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error);
        request.onblocked = () => reject(new Error("blocked"));
      });
      storage.kind = "base";
    } catch {
      try {
        localStorage.setItem(`${name}/test`, "1");
        localStorage.removeItem(`${name}/test`);
        storage.kind = "local";
        storage.name = name;
      } catch {
        // Memory it is; `kind` says so.
      }
    }
    return storage;
  }

  async get(key) {
    if (this.kind === "memory") return this.values.get(key);
    if (this.kind === "local") return JSON.parse(localStorage.getItem(`${this.name}/${key}`) ?? "null") ?? undefined;
    return this.#transact("readonly", (sessions) => sessions.get(key));
  }

  async put(key, value) {
    if (this.kind === "memory") this.values.set(key, structuredClone(value));
    else if (this.kind === "local") localStorage.setItem(`${this.name}/${key}`, JSON.stringify(value));
    else await this.#transact("readwrite", (sessions) => sessions.put(value, key));
  }

  async delete(key) {
    if (this.kind === "memory") this.values.delete(key);
    else if (this.kind === "local") localStorage.removeItem(`${this.name}/${key}`);
    else await this.#transact("readwrite", (sessions) => sessions.delete(key));
  }

  #transact(mode, act) {
    return new Promise((resolve, reject) => {
      const transaction = this.base.transaction("sessions", mode, { durability: "strict" });
      const request = act(transaction.objectStore("sessions"));
      transaction.oncomplete = () => resolve(request.result);
      transaction.onabort = transaction.onerror = () => reject(transaction.error ?? new Error("not kept"));
    });
  }
}
