/** Keys to press, such as `g t` or `Ctrl+K`. */
import "./ui.css";

export function Kbd({ children }: { children: string }) {
  return (
    <span className="ui-keys">
      {children.split(" ").map((key, index) => (
        <kbd key={index} className="ui-kbd">
          {key}
        </kbd>
      ))}
    </span>
  );
}
