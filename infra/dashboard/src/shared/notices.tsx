import type { FlashbarProps } from "@cloudscape-design/components/flashbar";
import {
  createContext,
  lazy,
  type ReactNode,
  Suspense,
  useCallback,
  useContext,
  useState,
} from "react";
import { texts } from "../texts";

type Notify = (type: FlashbarProps.Type, content: ReactNode) => void;

const NotifyContext = createContext<Notify>(() => {});
const NoticesContext = createContext<FlashbarProps.MessageDefinition[]>([]);
const KEPT = 3;

// Most views have nothing to tell, and need not load it.
const Flashbar = lazy(() => import("@cloudscape-design/components/flashbar"));

/** Tell the person what became of something that he started. */
export const useNotify = () => useContext(NotifyContext);

export function NoticesProvider({ children }: { children: ReactNode }) {
  const [notices, setNotices] = useState<FlashbarProps.MessageDefinition[]>([]);
  const notify = useCallback<Notify>((type, content) => {
    const id = crypto.randomUUID();
    const dismiss = () => setNotices((before) => before.filter((each) => each.id !== id));
    const notice: FlashbarProps.MessageDefinition = {
      id,
      type,
      content,
      dismissible: true,
      dismissLabel: texts.common.close,
      onDismiss: dismiss,
    };
    setNotices((before) => [notice, ...before].slice(0, KEPT));
  }, []);
  return (
    <NotifyContext.Provider value={notify}>
      <NoticesContext.Provider value={notices}>{children}</NoticesContext.Provider>
    </NotifyContext.Provider>
  );
}

export function Notices() {
  const notices = useContext(NoticesContext);
  return <Suspense fallback={null}>{notices.length > 0 && <Flashbar items={notices} />}</Suspense>;
}
