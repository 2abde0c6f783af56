/** What the live link needs of the world: clocks, timers, chance, a socket. Tests bring their own. */

/** An open or opening socket; after `close` it is forgotten, whatever it still says. */
export interface Line {
  send(text: string): void;
  close(): void;
}

export interface LineEvents {
  message(data: unknown): void;
  close(code: number): void;
}

export interface Environment {
  /** Milliseconds since some moment; never goes back. */
  elapsedMs(): number;
  /** Unix milliseconds of this machine. */
  wallMs(): number;
  /** From 0 to below 1. */
  chance(): number;
  /** Run once after `ms`; the returned function calls it off. */
  after(ms: number, run: () => void): () => void;
  dial(on: LineEvents): Line;
  hidden(): boolean;
  /** Call whenever the page may have slept or the network changed; returns how to stop. */
  onWake(run: () => void): () => void;
}

/** Return the browser as an environment; `path` is of the desk that served the page. */
export function browser(path: string): Environment {
  return {
    elapsedMs: () => performance.now(),
    wallMs: () => Date.now(),
    chance: () => Math.random(),
    after(ms, run) {
      const timer = setTimeout(run, ms);
      return () => clearTimeout(timer);
    },
    dial: (on) => dialled(path, on),
    hidden: () => document.hidden,
    onWake(run) {
      document.addEventListener("visibilitychange", run);
      for (const name of WAKES) window.addEventListener(name, run);
      return () => {
        document.removeEventListener("visibilitychange", run);
        for (const name of WAKES) window.removeEventListener(name, run);
      };
    },
  };
}

const WAKES = ["online", "pageshow", "focus"] as const;

function dialled(path: string, on: LineEvents): Line {
  const address = new URL(path, location.href);
  address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
  const socket = new WebSocket(address);
  socket.onmessage = (event) => on.message(event.data);
  socket.onclose = (event) => on.close(event.code);
  return {
    send(text) {
      if (socket.readyState === WebSocket.OPEN) socket.send(text);
    },
    close() {
      socket.onmessage = null;
      socket.onclose = null;
      socket.close();
    },
  };
}
